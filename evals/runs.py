"""Runs a program in its own process and measures it: exit code, wall and CPU seconds, peak memory."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

PRODUCT = (sys.executable, "-m", "tokensleuth")


@dataclass(frozen=True, slots=True)
class Run:
    """One finished process; CPU and memory include the children it waited for."""

    exit_code: int
    stdout: str
    stderr: str
    seconds: float
    cpu_seconds: float
    peak_mb: float

    def document(self) -> object:
        """What it printed, as JSON; raises RuntimeError with its last word when that is none."""
        try:
            return json.loads(self.stdout)
        except json.JSONDecodeError:
            last_word = (self.stderr or self.stdout).rstrip().rpartition("\n")[2]
            raise RuntimeError(f"no JSON on stdout, exit code {self.exit_code}: {last_word}") from None


class Stores(NamedTuple):
    """The two stores a product run works on."""

    ledger: Path
    casebook: Path

    @classmethod
    def fresh(cls, folder: Path) -> "Stores":
        """Paths in the folder, made if needed; what an earlier run left there is removed."""
        folder.mkdir(parents=True, exist_ok=True)
        for pattern in ("ledger.*", "casebook.*"):
            for old in folder.glob(pattern):
                old.unlink()
        return cls(folder / "ledger.duckdb", folder / "casebook.sqlite")

    @property
    def options(self) -> tuple[str, ...]:
        return ("--ledger", str(self.ledger), "--casebook", f"sqlite:///{self.casebook}")


def run(command: Sequence[str]) -> Run:
    """Run to the end; output goes through files so that a talkative child never blocks."""
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        begun = time.perf_counter()
        process = subprocess.Popen(list(command), stdout=stdout, stderr=stderr)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        stdout.seek(0)
        stderr.seek(0)
        return Run(
            exit_code=process.returncode,
            stdout=stdout.read().decode(errors="replace"),
            stderr=stderr.read().decode(errors="replace"),
            seconds=seconds,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_mb=usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10),
        )


def run_product(*arguments: str, stores: Stores) -> Run:
    """`tokensleuth ... --json` on the given stores."""
    return run((*PRODUCT, *arguments, "--json", *stores.options))
