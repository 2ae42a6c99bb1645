"""The results as one Markdown text."""

from evals.rca.case import OURS
from evals.rca.results import Results
from evals.rca.tables import (
    kinds_table,
    methods_table,
    mistakes_table,
    reliability_table,
    sized_table,
    splits_table,
    sweep_table,
    targets_table,
)

TITLE = "# Root cause: which slices, by which mechanism, for how many dollars"

RULES = """A case is an organisation with four weeks of hourly usage and a window in which something happened,
or nothing; beside it clients roll over, keys are rotated and a key drifts. Truth is the rows a cause touched
and the dollars it made, with less without. A slice is right where it covers those rows, give or take leaves
of under 1 % of its dollars; **exact** is all slices of a case right and none beside them, **cause and
slices** also every cause by its name. What a slice may cover beyond the touched rows: rows of its own scope
that the cause could not touch, earlier names of what was rolled over, and where use moved to another model
or tier the places it left and the rest of its scope. A culprit that covers everything blames nobody. Peers
see what each leaf cost in the window and in the same hours of the weeks before; they name no causes."""

NAMES = """Names are strict but for one: a single key's own traffic that multiplies in its usual shape may be
called `runaway_loop` or `volume_growth`, which the design does not tell apart; a loop that adds even,
machine-like traffic may not."""


def markdown_report(results: Results) -> str:
    line = results.line(OURS)
    parts = [TITLE, RULES, NAMES]
    if results.ours:
        parts += ["## Targets", targets_table(results)]
    parts += ["## Methods", methods_table(results)]
    if results.ours:
        parts += [
            f"The product's own sum of the window is what was generated in {line.ledger_agrees.value:.1%} of"
            f" cases; it failed on {line.failures}.",
            "## By kind",
            kinds_table(results),
            "## Where it breaks",
            splits_table(results),
            mistakes_table(results),
            "## Confidence",
            reliability_table(results),
        ]
    if results.sized:
        parts += ["## Size", sized_table(results)]
    if results.switches:
        false, count = results.false_tokenizer
        told = f"A tokenizer change was told in {false} of {count} cases without one."
        parts += ["## Tokenizer changes", sweep_table(results), told]
    return "\n\n".join(parts)
