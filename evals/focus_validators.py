"""Other people's validators over a FOCUS file of ours: focus-data-toolkit (1.4), focus-validator (1.2).

`python -m evals.focus_validators FILE --version 1.4 --toolkit DIR` or `--version 1.2 --validator VENV`.
DIR is where `pip install --target DIR focus-data-toolkit` put it; leave it out where it is installed beside
us. VENV is a venv of Python 3.12 or later with `focus-validator==2.2.1` and `pyarrow<24`.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from evals.unavailable import Unavailable

KNOWN_FAULTS = {
    "InvoiceId-C-005-C": "contradicts InvoiceId-C-004-C: any file fails one of the two",
    "CommitmentDiscountStatus-C-004-C": "its condition is inverted: fails every row without a commitment",
    "CapacityReservationStatus-C-004-C": "its condition is ignored: fails every row without a reservation",
    "CostAndUsage-D-000-M": "the whole: fails with any part",
}
"""Rules of the 1.2.0.1 model that fail whatever the file holds, and the parents that fail with them."""

_TOOLKIT_SUPPORTS = ("SupportsUnitPricing", "SupportsMultiplePricingCategories")
_MODEL_1_2 = "1.2.0.1"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a validator said of a file."""

    validator: str
    passed: int | None
    failures: Sequence[str]
    """Everything it found that is not in KNOWN_FAULTS."""
    known: Sequence[str] = ()
    skipped: int = 0


def toolkit_verdict(file: Path, folder: Path | None = None) -> Verdict:
    """focus-data-toolkit's lint of a 1.4 file; raises Unavailable where it is not installed."""
    if folder is None and find_spec("focus_data_toolkit") is None:
        raise Unavailable("focus-data-toolkit is not installed: pip install --target DIR focus-data-toolkit")
    supports = [word for condition in _TOOLKIT_SUPPORTS for word in ("--supports", condition)]
    command = [sys.executable, "-m", "focus_data_toolkit", "validate", "--dataset", "cost-and-usage"]
    ran = _run([*command, *supports, str(file)], {"PYTHONPATH": str(folder)} if folder else {}, file.parent)
    if ran.returncode == 0:
        return Verdict("focus-data-toolkit", None, ())
    told = [line.strip() for line in ran.stdout.splitlines() if line.strip().startswith("[")]
    return Verdict("focus-data-toolkit", None, told or [ran.stderr.strip()[-500:] or ran.stdout[-500:]])


def validator_verdict(file: Path, venv: Path) -> Verdict:
    """focus-validator over a 1.2 file with every criterion declared; its exit code says nothing."""
    program = (venv / "bin" / "focus-validator").absolute()
    found = list((venv / "lib").glob("python3.*/site-packages"))
    if not program.exists() or not found:
        raise Unavailable(
            f"no focus-validator in {venv}: it needs Python 3.12 or later and a venv of its own"
        )
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        given = ["--data-file", str(file.absolute()), "--validate-version", _MODEL_1_2, "--block-download"]
        asked = ["--focus-dataset", "CostAndUsage", "--applicability-criteria", "ALL"]
        written = ["--output-type", "unittest", "--output-destination", str(report)]
        # It reads its currency codes by a path relative to its own folder.
        ran = _run([str(program), *given, *asked, *written], {}, found[0])
        if not report.exists():
            raise Unavailable(f"focus-validator wrote no report: {ran.stderr.strip()[-500:]}")
        return verdict_of(report.read_text("utf-8"))


def verdict_of(report: str) -> Verdict:
    counts = {
        name: int(value) for name, value in re.findall(r'(tests|failures|skipped)="(\d+)"', report[:600])
    }
    cases = re.findall(r'<failure name="([^" ]+)" message="([^"]*)"', report)
    failed: dict[str, str] = dict(cases)
    own = {rule: message for rule, message in failed.items() if not _is_known(rule, message)}
    passed = counts["tests"] - counts["failures"] - counts["skipped"]
    return Verdict(
        "focus-validator",
        passed,
        [f"{rule}: {message}" for rule, message in sorted(own.items())],
        known=sorted(set(failed) - set(own)),
        skipped=counts["skipped"],
    )


def _is_known(rule: str, message: str) -> bool:
    """A known fault or a parent of one; what else failed below a parent is listed itself."""
    column = rule.partition("-")[0]
    return rule in KNOWN_FAULTS or (
        message.startswith("Composite check")
        and (column == "CostAndUsage" or any(known.startswith(f"{column}-") for known in KNOWN_FAULTS))
    )


def _run(command: Sequence[str], added: dict[str, str], folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **added},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--version", choices=["1.4", "1.2"], default="1.4")
    parser.add_argument("--toolkit", type=Path, help="folder that holds focus_data_toolkit")
    parser.add_argument("--validator", type=Path, help="venv that holds focus-validator")
    given = parser.parse_args(arguments)
    if given.version == "1.2" and given.validator is None:
        parser.error("--version 1.2 needs --validator VENV")
    try:
        of_1_2 = given.version == "1.2"
        verdict = (
            validator_verdict(given.file, given.validator)
            if of_1_2
            else toolkit_verdict(given.file.absolute(), given.toolkit)
        )
    except Unavailable as missing:
        print(f"not run: {missing}")
        return 3
    print(
        f"{verdict.validator}: {len(verdict.failures)} failures, passed {verdict.passed}, "
        f"skipped {verdict.skipped}, known faults of its rules {list(verdict.known)}"
    )
    for failure in verdict.failures:
        print(f"  {failure}")
    return 1 if verdict.failures else 0


if __name__ == "__main__":
    sys.exit(main())
