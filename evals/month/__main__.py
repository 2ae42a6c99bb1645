"""Drives the month: starts the service, ends it as planned, and holds what is left against the truth.

python -m evals.month [--teams 200] [--days 30] [--results]
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from evals.month.checks import checked
from evals.month.life import CONFIG, JOURNAL, read_clock, write_clock
from evals.month.plan import HISTORY_DAYS, Month
from evals.month.provider import KEY, provider
from evals.results import RESULTS, render_sections, write_part
from tokensleuth.clock import seconds_since, stopwatch

OUT = Path(__file__).parent.parent / "out" / "month.json"
_POLL_S = 0.1


@dataclass(slots=True)
class Driver:
    """The one who pulls the plug."""

    month: Month
    folder: Path
    killed: int = 0
    ended: int = 0

    def run(self) -> None:
        draw = random.Random(self.month.seed)  # noqa: S311 - when to kill, nothing secret
        for stop in self.month.stops():
            process = self._start()
            while process.poll() is None and read_clock(self.folder) < stop.at:
                Event().wait(_POLL_S)
            if stop.kill:
                Event().wait(draw.uniform(0, 6))
                process.kill()
                self.killed += 1
            else:
                process.send_signal(signal.SIGTERM)
                self.ended += 1
            process.wait()
            if stop.away:
                write_clock(self.folder, read_clock(self.folder) + stop.away)
        if (code := self._start().wait()) != 0:
            raise SystemExit(f"the last life ended with {code}")

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "evals.month.life", str(self.folder), self.month.end.isoformat()]
        environment = {**os.environ, "OPENAI_ADMIN_KEY": KEY, "SLACK_BOT_TOKEN": "xoxb-nobody-listens"}
        return subprocess.Popen(command, env=environment)


def write_settings(month: Month, folder: Path, url: str) -> None:
    """One source, an owner for each project, a channel that nobody reads."""
    owners = "".join(
        f'[[owner]]\nteam = "team-{team:03}"\nproject = "proj_{team:03}"\n' for team in range(month.teams)
    )
    (folder / CONFIG).write_text(
        f'[schedule]\nsync_minutes = 60\nfresh_hours = 3\nrefit_at = "01:00:00"\n'
        f'[slack]\nchannel = "C0MONTH"\n'
        f'[[source]]\nkind = "openai"\nbase_url = "{url}/v1"\nfirst_days = {HISTORY_DAYS}\n'
        f"lookback_hours = 6\n{owners}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teams", type=int, default=200)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--results", action="store_true", help="write evals/RESULTS.md")
    parser.add_argument("--keep", type=Path, help="a folder for what is left, to be looked at")
    given = parser.parse_args()
    month = Month(given.teams, given.days, given.seed)
    started = stopwatch()
    with tempfile.TemporaryDirectory() as made:
        folder = given.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        write_clock(folder, month.first)
        (folder / JOURNAL).touch()
        driver = Driver(month, folder)
        with provider(month, lambda: read_clock(folder)) as served:
            write_settings(month, folder, served.url)
            driver.run()
        outcome = checked(month, folder, killed=driver.killed, ended=driver.ended)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({**outcome.as_json(), "seconds": round(seconds_since(started))}, indent=1))
    body = render_sections([outcome.section()])
    sys.stdout.write(f"{body}\n")
    if given.results:
        write_part(RESULTS, "month", "python -m evals.month", body)
    return 0 if outcome.holds else 1


if __name__ == "__main__":
    sys.exit(main())
