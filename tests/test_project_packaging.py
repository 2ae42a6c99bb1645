import importlib
import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("agent", "detectors", "evals", "ledger", "playbooks", "tokensleuth", "tools")


@pytest.mark.parametrize("name", PACKAGES)
def test_a_generic_package_name_resolves_to_this_repository(name: str) -> None:
    assert Path(str(importlib.import_module(name).__file__)).is_relative_to(ROOT)


@pytest.mark.parametrize("name", PACKAGES)
def test_no_installed_distribution_ships_one_of_our_package_names(name: str) -> None:
    assert set(packages_distributions().get(name, [])) <= {"tokensleuth"}


def test_the_lock_names_no_registry() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert not re.search(r"https?://", lock)
    assert "--hash=sha256:" in lock


def test_there_is_no_agent_package_among_the_tests() -> None:
    assert not (ROOT / "tests" / "agent").exists()
