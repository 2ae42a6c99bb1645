"""In CI no test may skip: what a machine lacks is a failure there, with the reason."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SKIPPING = """
import pytest

@pytest.fixture(scope="session")
def peer():
    pytest.skip("no such peer")

def test_with_the_peer(peer): ...

def test_with_the_peer_too(peer): ...

@pytest.mark.skipif(True, reason="not on this machine")
def test_elsewhere(): ...

@pytest.mark.xfail(raises=ValueError)
def test_known(): raise ValueError

def test_alone(): ...
"""


@pytest.mark.parametrize(
    ("set_to", "told"),
    [("1", "1 passed, 1 xfailed, 3 errors"), ("", "1 passed, 3 skipped, 1 xfailed")],
)
def test_a_skip_is_a_failure_where_none_is_allowed(tmp_path: Path, set_to: str, told: str) -> None:
    stdout = run(tmp_path, SKIPPING, set_to)
    assert told in stdout
    assert ("TOKENSLEUTH_NO_SKIPS=1 lets no test skip" in stdout) == bool(set_to)
    assert "no such peer" in stdout


def test_a_whole_module_cannot_skip_either(tmp_path: Path) -> None:
    text = "import pytest\npytest.importorskip('no_such_package_at_all')\ndef test_it(): ..."
    assert "1 error" in run(tmp_path, text, "1")
    assert "1 skipped" in run(tmp_path, text, "")


def run(folder: Path, text: str, set_to: str) -> str:
    path = folder / "test_skipping.py"
    path.write_text(text, "utf-8")
    command = [sys.executable, "-m", "pytest", "-qra", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [*command, "--rootdir", folder, path], cwd=ROOT,
        env={**os.environ, "TOKENSLEUTH_NO_SKIPS": set_to}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ran.stdout
