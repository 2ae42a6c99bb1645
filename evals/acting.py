"""`make bench-acts`: deciding and acting under kills, races, forged requests and load, in RESULTS.md.

Each part runs by itself too: `python -m evals.chaos`, `races`, `guard_rails`, `signature_mutations`, `acks`.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from evals import acks, guard_rails, races
from evals.chaos.report import document
from evals.chaos.running import run_chaos
from evals.results import RESULTS, Figure, Section, machine_facts, render_sections, write_part
from evals.signature_mutations import tried
from tokensleuth.casebook import Casebook

OUT = RESULTS.parent / "out" / "acting.json"
KILLS = 300
MUTATIONS = 10_000
_SEED = 6


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.acting", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, help="on SQLite; a fifth of them on PostgreSQL")
    parser.add_argument("--no-write", action="store_true", help="print only; leave RESULTS.md as it is")
    given = parser.parse_args(arguments)
    sections = []
    parts: tuple[Callable[[], Section], ...] = (
        answering,
        lambda: killed(given.kills),
        raced,
        forged,
        guarded,
    )
    for part in parts:
        sections.append(part())
        print(render_sections(sections[-1:]), flush=True)
    if not given.no_write:
        write_part(RESULTS, "acts", "make bench-acts", render_sections(sections))
        OUT.parent.mkdir(exist_ok=True)
        facts = {"machine": machine_facts(), "sections": [asdict(section) for section in sections]}
        OUT.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    return 1 if any(figure.met is False for s in sections for figure in s.figures) else 0


def answering() -> Section:
    """First, while the machine is at rest."""
    return acks.section(acks.measured())


def killed(kills: int) -> Section:
    """Workers killed at named points and random times, on both databases."""
    ran = [
        run_chaos(kills=number, seed=_SEED, postgres=postgres, told=_progress)
        for number, postgres in ((kills, False), (kills // 5, True))
    ]
    figures = [figure for one in ran for figure in _of_kills(one.database, document(one))]
    return Section("Kills", f"python -m evals.chaos --kills {kills}", tuple(figures))


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _of_kills(database: str, found: Mapping[str, object]) -> tuple[Figure, ...]:
    def none(told: str, name: str) -> Figure:
        count = int(str(found[name]))
        return Figure(f"{database}: {told}", count, "", "0", count == 0)

    points = f"{found['points_hit']} of {found['points']} named points, the rest at random times"
    shown = f"{found['decisions']} decisions, {found['effects']} effects, {found['slack_messages']} messages"
    return (
        Figure(f"{database}: kills that landed ({points}; {shown})", int(str(found["kills"])), ""),
        none("decisions or letters lost", "lost"),
        none("effects doubled", "doubled_effects"),
        none("Slack messages twice", "duplicate_messages"),
        none("other faults", "other_faults"),
        Figure(f"{database}: same value written again", int(str(found["repeated_identical_writes"])), ""),
    )


def raced() -> Section:
    """Eight clicks from two processes on one proposal, again and again."""
    return Section(
        "Races", "python -m evals.races", races.figures([races.race("sqlite"), races.race("postgresql")])
    )


def forged() -> Section:
    """Requests that Slack never sent."""
    with tempfile.TemporaryDirectory(prefix="tokensleuth-") as folder:
        url = f"sqlite:///{Path(folder) / 'casebook.sqlite'}"
        with Casebook.open(url, key=b"the key of the mutations") as casebook:
            outcome = tried(casebook, MUTATIONS, seed=_SEED)
    figures = (
        Figure("mutated requests", outcome.sent, ""),
        Figure("accepted", outcome.taken, "", "0", outcome.taken == 0),
        Figure("answered with 5xx", outcome.broken, "", "0", outcome.broken == 0),
    )
    return Section("Forged requests", "python -m evals.signature_mutations", figures)


def guarded() -> Section:
    """Random proposals against the guard rails and an independent reading of the rules."""
    return Section("Guard rails", "python -m evals.guard_rails", guard_rails.figures(guard_rails.judged()))


if __name__ == "__main__":
    sys.exit(main())
