"""The end-to-end run of the LiteLLM gateway: it passes where effects come, and tells where they do not."""

import shutil
import subprocess
from pathlib import Path

import pytest

from evals import e2e_litellm
from evals.e2e_litellm import ACTIONS, main
from evals.fake_litellm import MASTER_KEY, fake_litellm
from evals.litellm_peer.install import PeerAbsentError, installed
from evals.litellm_peer.postgres import postgres
from evals.unavailable import NO_SKIPS


def run(monkeypatch: pytest.MonkeyPatch, url: str) -> int:
    monkeypatch.setenv("LITELLM_URL", url)
    monkeypatch.setenv("LITELLM_MASTER_KEY", MASTER_KEY)
    return main()


def test_every_action_has_its_effect_and_its_undo(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with fake_litellm() as fake:
        assert run(monkeypatch, fake.url) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told[:-1]] == ["ok"] * len(ACTIONS)


def test_an_effect_that_does_not_come_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(e2e_litellm, "TEAM_S", 0.0)
    monkeypatch.setattr(e2e_litellm, "SPEND_S", 0.0)
    with fake_litellm() as fake:
        fake.enforcing = False
        assert run(monkeypatch, fake.url) == 1
    failed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("failed")]
    assert (
        len(failed)
        == len(ACTIONS) - len({"set_rate_limit beside", "downgrade_model to nothing", "holder"}) + 1
    )


def test_without_node_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(PeerAbsentError, match="node is not installed"):
        installed()


def test_a_peer_that_cannot_run_here_is_a_skip_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LITELLM_URL", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(NO_SKIPS, raising=False)
    assert main() == 0
    assert capsys.readouterr().out == "skipped: node is not installed; Debian's nodejs and npm will do\n"


def test_postgresql_runs_for_a_block_and_leaves_nothing(tmp_path: Path) -> None:
    try:
        with postgres() as server:
            script = tmp_path / "one.sql"
            script.write_text("create table seen (n int); insert into seen values (7);")
            server.run_files([script])
            asked: list[str | Path] = [server.programs / "psql", "-tAc", "select n from seen", server.url]
            assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == "7\n"
            folder = server.folder
    except PeerAbsentError as absent:
        pytest.skip(str(absent))
    assert not folder.exists()


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_engine_stand_in_tells_the_commit_that_the_client_wants() -> None:
    shim = Path(e2e_litellm.__file__).parent / "litellm_peer" / "qe-shim.cjs"
    told = subprocess.run(["node", shim, "--version"], capture_output=True, text=True, check=True).stdout
    assert told == "query-engine 393aa359c9ad4a4bb28630fb5613f9c281cde053\n"


def test_where_nothing_may_be_skipped_a_missing_peer_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("LITELLM_URL", raising=False)
    monkeypatch.setenv(NO_SKIPS, "1")
    assert main() == 1
