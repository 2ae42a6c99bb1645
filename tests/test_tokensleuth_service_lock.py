"""One process works on a casebook in a file: the second refuses, and a dead one holds nothing."""

import os
import subprocess
import sys
from pathlib import Path
from signal import SIGKILL

import pytest

from ledger.errors import RefusedError, UnreachableError
from tokensleuth.service.lock import is_shared, sole_worker

HOLD = """
import sys
from tokensleuth.service.lock import sole_worker
with sole_worker(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def url(folder: Path, name: str = "casebook.sqlite") -> str:
    return f"sqlite:///{folder / name}"


def refused_beside(first: str, second: str | None = None) -> str:
    """What the second worker is told while the first works."""
    with sole_worker(first), pytest.raises(RefusedError) as raised, sole_worker(second or first):
        pytest.fail("two workers")
    return str(raised.value)


def test_a_second_worker_is_refused_by_the_number_of_the_first(tmp_path: Path) -> None:
    assert f"process {os.getpid()} works on this casebook already" in refused_beside(url(tmp_path))


def test_it_is_free_again_after_the_block_also_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), sole_worker(url(tmp_path)):
        raise KeyError
    with sole_worker(url(tmp_path)):
        assert (tmp_path / "casebook.sqlite.lock").read_text() == str(os.getpid())


def test_another_name_of_the_same_file_is_the_same_casebook(tmp_path: Path) -> None:
    (tmp_path / "casebook.sqlite").touch()
    (tmp_path / "other.sqlite").symlink_to(tmp_path / "casebook.sqlite")
    assert "works on this casebook already" in refused_beside(url(tmp_path), url(tmp_path, "other.sqlite"))


def test_two_casebooks_in_one_folder_are_apart(tmp_path: Path) -> None:
    with sole_worker(url(tmp_path)), sole_worker(url(tmp_path, "other.sqlite")):
        pass


def test_a_worker_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, url(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(RefusedError, match=f"process {holder.pid} works on"), sole_worker(url(tmp_path)):
            pytest.fail("two workers")
        holder.send_signal(SIGKILL)
        holder.wait()
        with sole_worker(url(tmp_path)):
            assert (tmp_path / "casebook.sqlite.lock").read_text() == str(os.getpid())


def test_workers_on_postgresql_share_it() -> None:
    shared = "postgresql://somebody@127.0.0.1/casebook"
    assert is_shared(shared)
    with sole_worker(shared), sole_worker(shared):
        pass


def test_a_lock_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnreachableError, match="cannot be opened"), sole_worker(url(tmp_path / "file")):
        pytest.fail("it is no folder")
