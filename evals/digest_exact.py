"""`python -m evals.digest_exact`: every figure of a digest against SQL of its own, on 50 random ledgers."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from evals.digest_checks import Check, checks
from evals.digest_ledgers import RandomLedger, random_ledger
from evals.digest_sql import Sql
from evals.results import RESULTS, Figure, Section, render_sections, write_part
from ledger.scope import EVERYTHING
from tokensleuth.budgets.settings import Budget
from tokensleuth.clock import seconds_since, stopwatch
from tokensleuth.digest.building import Given, read_week
from tokensleuth.digest.document import digest_document
from tokensleuth.digest.facts import Digest
from tokensleuth.digest.markdown import markdown
from tokensleuth.digest.showback_csv import showback_csv
from tokensleuth.digest.words import page_of
from tools.effects import effects

OUT = Path(__file__).parent / "out" / "digest.json"
GIVEN = Given(budgets=(Budget(name="all", usd=Decimal(5000)),))


@dataclass(slots=True)
class Tally:
    """What was compared, and what was wrong."""

    digests: int = 0
    figures: int = 0
    wrong: list[str] = field(default_factory=list)

    def count(self, seed: int, found: Check) -> None:
        self.figures += 1
        if not found.holds:
            self.wrong.append(f"ledger {seed}: {found.name}: {found.told} instead of {found.right}")


def examine(seed: int, tally: Tally) -> None:
    """Every week of one ledger, for the organisation and for a team."""
    with TemporaryDirectory() as folder, random_ledger(seed, Path(folder)) as made:
        connection = made.ledger.reader.engine.connection  # type: ignore[attr-defined]
        for digest in _digests(made):
            tally.digests += 1
            for found in [*_against_sql(digest, connection), *_against_effects(digest, made)]:
                tally.count(seed, found)


def _digests(made: RandomLedger) -> Iterator[Digest]:
    for week in made.weeks:
        book = read_week(made.ledger.reader, None, week, GIVEN, made.now, by_team=True)
        yield book.digest()
        yield book.digest(made.team)


def _against_sql(digest: Digest, connection: duckdb.DuckDBPyConnection) -> Iterator[Check]:
    known = digest.week.known
    if known is None:
        yield Check("nothing is known", digest.spend.now.cost_pico, 0)
        return
    sql = Sql(connection, known.start_at, known.end_at, digest.team)
    document, page = digest_document(digest), markdown(page_of(digest))
    yield from checks(document, page, showback_csv(digest), sql)
    told = 0.0 if digest.line is None else sum(digest.line.actual)
    difference = abs(told - digest.spend.now.cost_pico * 1e-12)
    yield Check("hours of the chart", difference <= 1e-9 * max(told, 1), True)


def _against_effects(digest: Digest, made: RandomLedger) -> Iterator[Check]:
    """Where last week is all there was before, the agent's tool compares with the same and must agree."""
    extent = made.ledger.reader.extent()
    known, last = digest.week.known, digest.week.last
    if known is None or last is None or extent is None or last.start_at != extent.start_at:
        return
    if digest.audience != EVERYTHING:
        return
    right = {row["effect"]: row["usd"] for row in effects(made.ledger.reader, known).rows}
    for effect in digest.spend.effects:
        off = abs(Decimal(effect.cents).scaleb(-2) - Decimal(str(right[effect.name])))
        yield Check(f"effect {effect.name}", off <= Decimal("0.01"), True)


def _figures(tally: Tally, ledgers: int) -> tuple[Figure, ...]:
    wrong = len(tally.wrong)
    return (
        Figure("random ledgers", ledgers, ""),
        Figure("digests", tally.digests, ""),
        Figure("figures recomputed by SQL of their own", tally.figures, ""),
        Figure("of these wrong", wrong, "", "0", wrong == 0),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ledgers", type=int, default=50)
    parser.add_argument("--results", action="store_true", help="also write evals/RESULTS.md")
    asked = parser.parse_args()
    tally, started = Tally(), stopwatch()
    for seed in range(1, asked.ledgers + 1):
        examine(seed, tally)
        print(f"\r{seed} ledgers, {tally.figures:,} figures, {len(tally.wrong)} wrong", end="", flush=True)
    print()
    print("\n".join(tally.wrong[:50]))
    result = {
        "ledgers": asked.ledgers,
        "digests": tally.digests,
        "figures": tally.figures,
        "wrong": len(tally.wrong),
        "seconds": round(seconds_since(started), 1),
    }
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    if asked.results:
        section = Section(
            "Figures of the weekly digest", "python -m evals.digest_exact", _figures(tally, asked.ledgers)
        )
        write_part(RESULTS, "digest", "python -m evals.digest_exact", render_sections([section]))
    raise SystemExit(1 if tally.wrong else 0)


if __name__ == "__main__":
    main()
