import re
from pathlib import Path

import pytest

from tokensleuth.cli import app as cli

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", PAGE))))
def test_a_file_the_page_on_operations_points_to_exists(link: str) -> None:
    assert (ROOT / "docs" / link).resolve().exists()


@pytest.mark.parametrize(
    "command", sorted(set(re.findall(r"\b(?:ts|tokensleuth tokensleuth|--rm tokensleuth) ([a-z-]+)", PAGE)))
)
def test_a_command_of_the_page_on_operations_exists(command: str) -> None:
    registered = {c.name or getattr(c.callback, "__name__", "") for c in cli.registered_commands}
    assert command in registered | {group.name for group in cli.registered_groups}


@pytest.mark.parametrize("metric", sorted(set(re.findall(r"tokensleuth_([a-z_]+)\b", PAGE))))
def test_a_metric_of_the_page_on_operations_exists(metric: str) -> None:
    assert f'"{metric}"' in (ROOT / "tokensleuth" / "observing" / "metrics.py").read_text("utf-8")


def test_the_page_on_operations_stays_a_page() -> None:
    assert len(PAGE.splitlines()) <= 300
