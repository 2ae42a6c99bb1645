"""The tables of `make eval`, as Markdown that also reads well in a terminal."""

from collections.abc import Iterator, Sequence

from evals.grading import Grade
from evals.outcome import Outcome
from evals.scores import Findings, Score, by_cause, findings, score

TITLE = "## Whole investigations, graded"
RULES = """A case is a generated organisation, with something that happens to it or nothing, loaded and
investigated as a user would. **Strict** is verdict, cause, all culprits and nobody else, and the first hour
within 1 h, all right (a quiet case: nothing material told as confirmed or as an artifact); **partial** is the
mean of these parts. The first hour is not graded of growth, which climbs, nor where the range itself is the
question. A false positive is a benign case with a material incident told as confirmed or as an artifact.
Claims are numbers without evidence: dropped by the product, or shown all the same, by a check of its own
(`evals/claims.py`). Harmful is an acting proposal that should not be approved (`evals/harm.py`); in brackets
those of material incidents."""

_HEAD = (
    "analyst", "cases", "strict", "partial", "verdict", "benign false positives", "claims dropped", "shown",
    "harmful", "irreversible", "degraded", "calls", "tokens", "USD", "median s",
)  # fmt: skip


def markdown_report(outcomes: Sequence[Outcome], analysts: Sequence[str]) -> str:
    """All cases, the held-out and the other ones apart, and what the first analyst makes of each cause."""
    first = [outcome for outcome in outcomes if outcome.analyst == analysts[0]]
    parts = [TITLE, RULES]
    for title, part in _split(outcomes):
        parts += [f"### {title}", analysts_table([score(name, part) for name in analysts])]
    parts += [f"### Causes, {analysts[0]}", causes_table(first), told_line(findings(first))]
    return "\n\n".join(parts)


def analysts_table(scores: Sequence[Score]) -> str:
    return _table(_HEAD, [_cells(one) for one in scores])


def causes_table(outcomes: Sequence[Outcome]) -> str:
    rows = [(one.cause, f"{one.strict} of {one.told}") for one in by_cause(outcomes)]
    return _table(("cause", "strict"), rows)


def told_line(told: Findings) -> str:
    return (
        f"Of {told.causes} injected causes: found {_rate(told.found)}, "
        f"cause right {_rate(told.cause_right)}, culprits right {_rate(told.culprit_right)}, "
        f"first hour right {_rate(told.onset_right)}, median error in dollars {_rate(told.delta_error)}, "
        f"told in pieces {told.in_pieces}; "
        f"{told.false_incidents} incidents out of the blue, minor ones included (${told.false_usd:,.0f})."
    )


def case_lines(outcome: Outcome) -> Iterator[str]:
    """What one analyst made of one case."""
    begin = f"{outcome.case} {outcome.analyst}: "
    if outcome.failure:
        yield f"{begin}FAILED\n{outcome.failure}"
        return
    told = "strict" if outcome.grade.strict else f"partial {outcome.grade.partial:.2f}"
    yield f"{begin}{told}{_notes(outcome)}"
    yield from (f"  {_told(grade)}" for grade in outcome.grade.grades)
    yield from (f"  harmful: {one.action} {dict(one.scope)}: {one.why}" for one in outcome.harmful)
    yield from (f"  no evidence: {claim}" for claim in outcome.shown_claims)


def _split(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, list[Outcome]]]:
    held_out = [outcome for outcome in outcomes if outcome.held_out]
    others = [outcome for outcome in outcomes if not outcome.held_out]
    yield "All cases", list(outcomes)
    if held_out and others:
        yield "Held out: seeds nobody tuned on", held_out
        yield "Looked at while the product was made", others


def _cells(one: Score) -> tuple[str, ...]:
    return (
        one.analyst,
        str(one.cases),
        _rate(one.strict),
        _rate(one.partial),
        _rate(one.verdict),
        f"{_rate(one.false_positives)} of {one.benign_cases}",
        str(one.dropped_claims),
        str(one.shown_claims),
        f"{one.harmful} ({one.harmful_material})",
        str(one.irreversible),
        str(one.degraded),
        "-" if one.llm_calls is None else f"{one.llm_calls:.1f}",
        f"{one.tokens:,}",
        f"{one.usd:.4f}",
        "-" if one.seconds is None else f"{one.seconds:.2f}",
    )


def _notes(outcome: Outcome) -> str:
    grade = outcome.grade
    alarms = f"; {grade.raised} material alarms in a benign case" if grade.false_positive else ""
    false = f"; {grade.false_incidents} incidents out of the blue (${grade.false_usd:,.0f})"
    return alarms + (false if grade.false_incidents else "")


def _told(grade: Grade) -> str:
    onset = "-" if grade.onset_hours is None else f"{grade.onset_hours:+.0f} h"
    error = "-" if grade.delta_error is None else f"{grade.delta_error:.1%}"
    return (
        f"{grade.expected_cause} -> {grade.reported_cause or 'missed'}, culprit {grade.culprit}"
        f"{' and others blamed' if grade.others_blamed else ''}, "
        f"verdict {'right' if grade.verdict_right else 'wrong'}, "
        f"onset {onset}{'' if grade.onset_graded else ' (not graded)'}, "
        f"dollars {error}, pieces {grade.pieces}"
    )


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Padded, the first column to the left and the others to the right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    line = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    padded = [
        [
            row[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
        ]
        for row in (head, *rows)
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (padded[0], line, *padded[1:]))
