"""The report of a difference in Markdown; its amounts are looked up in the evidence."""

from collections.abc import Iterator, Sequence
from datetime import date

from agent.escaping import escaped
from agent.evidence import Evidence
from agent.headings import CULPRITS
from agent.reasons import capital, words
from agent.rendering import Ref, Rendered, Text, named_scope, render
from agent.waterfall import ACTUAL, EXPECTED
from ledger.window import Window
from tokensleuth.reconciling.override_toml import toml_lines
from tokensleuth.reconciling.reasons import KINDS
from tokensleuth.reconciling.runs import Run
from tokensleuth.reconciling.split import Split

MOST_DAYS = 31
"""So many rows are in the report; all of them are in the evidence."""


def write_report(run: Run, split: Split, evidence: Sequence[Evidence], today: date) -> Rendered:
    """In the order in which a reader asks: what differs, why, day by day, what to do."""
    amounts, days = evidence
    lines: list[Text] = [
        *_headline(run, amounts.id),
        *_effects(split, amounts.id),
        *_why(run, amounts.id, days.id),
        *_by_day(run, days),
        *_next(run, today),
        *_checked(amounts, days),
    ]
    return render(lines, {each.id: each for each in evidence})


def write_settled(run_id: str, window: Window, evidence: Sequence[Evidence], why: str) -> Rendered:
    """Of a difference that is no more, or is told elsewhere by now."""
    amounts = evidence[0].id
    lines: list[Text] = [
        ("# Settled: bill and ledger agree",),
        ("",),
        (
            "**The bill and the ledger differ by ", Ref(amounts, "delta_usd", "size_usd"),
            f" from {window}: ", Ref(amounts, "actual_usd", "usd"), " counted, ",
            Ref(amounts, "expected_usd", "usd"), f" billed.** {escaped(why)}",
        ),
        ("",),
        (f"Verdict: benign. What was told of it before ({run_id}) is settled.",),
    ]  # fmt: skip
    return render(lines, {each.id: each for each in evidence})


def _headline(run: Run, amounts: str) -> Iterator[Text]:
    """The bold sentence ends in `.** `; alerts and cards take what follows it."""
    who, kind = escaped(named_scope(run.scope)), KINDS[run.explained.reason]
    way = "less than" if run.counted_pico < run.billed_pico else "more than"
    yield (f"# {capital(words(run.explained.reason))}: {who}",)
    yield ("",)
    yield (
        f"**For {who} the ledger counts ", Ref(amounts, "delta_usd", "size_usd"),
        f" {way} the provider bills from {run.window}: ", Ref(amounts, "actual_usd", "usd"), " instead of ",
        Ref(amounts, "expected_usd", "usd"),
        f".** A difference between the bill and the ledger, not a change in use: {kind.what}.",
    )  # fmt: skip
    yield ("",)
    yield (f"Verdict: accounting artifact. Reason: {words(run.explained.reason)}.",)


def _effects(split: Split, amounts: str) -> Iterator[Text]:
    yield from _section("Where the change comes from")
    yield ("| Step | USD | Effect |",)
    yield ("|---|---:|---|",)
    yield (f"| {EXPECTED} (billed) | ", Ref(amounts, "expected_usd", "usd"), " | |")
    for effect in split.effects:
        if effect.usd:
            amount = Ref(amounts, f"{effect.name}_usd", "signed_usd")
            yield (f"| {words(effect.name)} | ", amount, f" | `{effect.name}` |")
    yield (f"| **{ACTUAL}** (counted) | **", Ref(amounts, "actual_usd", "usd"), "** | |")


def _why(run: Run, amounts: str, days: str) -> Iterator[Text]:
    yield from _section(CULPRITS)
    delta = Ref(amounts, "delta_usd", "signed_usd")
    yield (f"- {escaped(named_scope(run.scope))}: ", delta, f", {words(run.explained.reason)} ({days})")
    told = dict.fromkeys(j.explained.told for j in run.days if j.explained and j.explained.told)
    for text in list(told)[:3]:
        yield (f"  - {escaped(text)} ({days})",)


def _by_day(run: Run, days: Evidence) -> Iterator[Text]:
    yield from _section("Day by day")
    for i, row in enumerate(days.rows[:MOST_DAYS]):
        model = f" {escaped(str(row['model']))}" if len(run.models) > 1 else ""
        yield (
            f"- {row['day']}{model}: billed ", Ref(days.id, f"rows.{i}.billed_usd", "usd"), ", counted ",
            Ref(days.id, f"rows.{i}.ledger_usd", "usd"), ", difference ",
            Ref(days.id, f"rows.{i}.difference_usd", "signed_usd"),
        )  # fmt: skip
    if len(days.rows) > MOST_DAYS:
        yield (f"- and {len(days.rows) - MOST_DAYS} more rows in {days.id}",)


def _next(run: Run, today: date) -> Iterator[Text]:
    yield from _section("What to do")
    yield (KINDS[run.explained.reason].next_step,)
    if run.overrides:
        yield from _section("Lines for the settings")
        for line in toml_lines(run.overrides, today):
            # A backtick would end the span; TOML reads the escape as the character.
            told = line.replace("`", "\\u0060")
            yield (f"- `{told}`",)


def _checked(amounts: Evidence, days: Evidence) -> Iterator[Text]:
    yield from _section("What was checked")
    yield (f"- Both sides {amounts.id}, day by day {days.id}",)


def _section(title: str) -> tuple[Text, ...]:
    return ("",), (f"## {title}",), ("",)
