"""A sync killed at any moment leaves a ledger that the next sync completes, with nothing lost or doubled."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from evals.fake_openai_usage import fake_openai_usage
from ledger.store import open_ledger
from tests.sync_cases import HOUR, environment_of
from tests.usage_builder import FRESH_ROLL_UP, SPEND, STORED_ROLL_UP
from tokensleuth.clock import utc_now

KILLS = 6
HOURS = 60
SYNC = "import sys; from tokensleuth.__main__ import main; sys.argv = ['tokensleuth', *sys.argv[1:]]; main()"


def syncing(config: Path, ledger: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", SYNC, "sync", "--config", str(config), "--ledger", str(ledger)]
    environment = {**os.environ, **environment_of(["openai"])}
    return subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parent.parent,
        env=environment,
    )


def test_totals_after_kills_are_those_of_a_sync_that_was_left_alone(tmp_path: Path) -> None:
    last = utc_now().replace(minute=0, second=0)
    with fake_openai_usage() as (fake, served):
        for number in range(1, HOURS):
            for key in ("key_1", "key_2"):
                fake.add(last - number * HOUR, api_key_id=key, model="gpt-4o", input_uncached=number)
        config = tmp_path / "tokensleuth.toml"
        config.write_text(f'[[source]]\nkind = "openai"\nbase_url = "{served.url}/v1"\nfirst_days = 5\n')
        clean, broken = tmp_path / "clean.duckdb", tmp_path / "broken.duckdb"
        started = time.monotonic()
        with syncing(config, clean) as left_alone:
            assert left_alone.wait(timeout=120) == 0
        longest = time.monotonic() - started
        random_ = random.Random(0)  # noqa: S311
        kills = 0
        for _ in range(KILLS):
            with syncing(config, broken) as process:
                try:
                    process.wait(timeout=random_.uniform(0.2, 1.0) * longest)
                except subprocess.TimeoutExpired:
                    process.kill()
                    kills += 1
        with syncing(config, broken) as process:
            assert process.wait(timeout=120) == 0
    assert kills
    found = []
    for path in (clean, broken):
        with open_ledger(path, create=False) as ledger:
            connection = ledger.pulled.connection
            assert (
                connection.execute(FRESH_ROLL_UP).fetchall() == connection.execute(STORED_ROLL_UP).fetchall()
            )
            found.append(connection.execute(SPEND).fetchall())
    assert found[0] == found[1]
    assert len(found[0]) == 2 * (HOURS - 1)
