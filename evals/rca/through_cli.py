"""`python -m evals.rca.through_cli`: the command must tell what the benchmark counts.

Writes cases as usage files, runs `tokensleuth ingest` and `tokensleuth investigate RANGE --explain --json`,
and compares culprits and effects with those of `evals.rca.ours`. Exit code 1 where they differ.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from evals.rca import ours
from evals.rca.case import Case
from evals.rca.generator import KINDS, generate_case
from evals.rca.usage_file import write_usage
from evals.runs import Stores, run_product
from ledger.window import instant_text

COMPARED = ("scope", "cause", "delta_usd", "confidence")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.rca.through_cli", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--kinds", nargs="+", choices=tuple(KINDS), default=("retry_storm", "key_leak", "two_causes")
    )
    options = parser.parse_args(arguments)
    differing = 0
    for kind in options.kinds:
        case = generate_case(options.seed, kind)
        differences = compare(case)
        differing += bool(differences)
        print(f"{case.name}: {len(differences)} differences", *differences, sep="\n  ")
    return 1 if differing else 0


def compare(case: Case) -> list[str]:
    """What the command and the benchmark tell differently, in words."""
    told = told_by_the_command(case)
    counted = ours.investigate(case).as_json()
    differences = []
    for name, command, bench in (
        ("culprits", culprits(told), culprits(counted)),
        ("effects", told["effects"], counted["effects"]),
        ("change", Decimal(str(told["delta_usd"])), Decimal(str(counted["delta_usd"]))),
    ):
        if command != bench:
            differences.append(f"{name}: the command has {command}, the bench has {bench}")
    return differences


def told_by_the_command(case: Case) -> dict[str, object]:
    """The one incident of `investigate --explain`."""
    asked = f"{instant_text(case.window.start_at)}..{instant_text(case.window.end_at)}"
    with tempfile.TemporaryDirectory() as scratch:
        stores = Stores.fresh(Path(scratch))
        for file in write_usage(case, Path(scratch)):
            run_product("ingest", str(file), stores=stores).document()
        document = run_product("investigate", asked, "--explain", stores=stores).document()
    incidents = document.get("incidents") if isinstance(document, dict) else None
    if not isinstance(incidents, list) or len(incidents) != 1:
        raise RuntimeError(f"{case.name}: not one incident: {document!s:.300}")
    return dict(incidents[0])


def culprits(incident: Mapping[str, object]) -> list[dict[str, object]]:
    listed = incident["culprits"]
    return [{field: one[field] for field in COMPARED} for one in listed] if isinstance(listed, list) else []


if __name__ == "__main__":
    raise SystemExit(main())
