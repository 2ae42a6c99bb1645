"""The facts of an incident as blocks: where the change comes from, who carries it, what is remembered."""

from collections.abc import Iterator
from decimal import Decimal

from agent.waterfall import ACTUAL, EXPECTED, UNEXPLAINED, effect_label
from tokensleuth.slackapp.blocks import context, lines_section, plain_section, section, table
from tokensleuth.slackapp.escaping import code, plain, plain_lines, prose
from tokensleuth.slackapp.limits import Block
from tokensleuth.slackapp.report_parts import model_words, reasons, remembered
from tokensleuth.slackapp.sentences import NAME, culprit_lines, effect_sum
from tokensleuth.terminal.text import Document, counted, parts, usd

MOST_EFFECTS = 12
MOST_CULPRITS = 5
MOST_REASONS = 3
MODEL_WIDTH = 1500


def effects(incident: Document) -> Iterator[Block]:
    """From expected to actual; what no row has room for is one row, so that the table always adds up."""
    named = [
        (effect_label(str(e["name"]), u), u) for e in parts(incident, "effects") if (u := _usd(e["usd"]))
    ]
    if not named:
        return
    named.sort(key=lambda e: -abs(e[1]))
    shown, others = named[:MOST_EFFECTS], named[MOST_EFFECTS:]
    if others:
        shown.append((f"{len(others)} more effects", sum((u for _, u in others), Decimal())))
    expected, actual = _usd(incident["expected_usd"]), _usd(incident["actual_usd"])
    if rest := actual - expected - sum(u for _, u in named):
        shown.append((UNEXPLAINED, rest))
    yield section(effect_sum(incident))
    rows = [(plain(label, NAME), usd(u, signed=True)) for label, u in shown]
    yield table([("Step", "USD"), (EXPECTED, usd(expected)), *rows, (ACTUAL, usd(actual))])


def culprits(incident: Document) -> Iterator[Block]:
    blamed = parts(incident, "culprits")
    if not blamed:
        return
    shown, others = blamed[:MOST_CULPRITS], blamed[MOST_CULPRITS:]
    lines = list(culprit_lines(shown, incident))
    if others:
        amount = sum((_usd(c["delta_usd"]) for c in others), Decimal())
        lines.append(f"and {counted(len(others), 'culprit')} more: *{usd(amount, signed=True)}* in all")
    if len(lines) > 1:
        lines = [f"{'' if line.startswith('and ') else '- '}{line}" for line in lines]
    yield lines_section(["*Who carries it*", *lines])
    if why := reasons(str(incident["report"]), MOST_REASONS):
        yield context(f"Why: {'; '.join(prose(reason, 250) for reason in why)}.")


def seen_before(incident: Document) -> Iterator[Block]:
    found = remembered(str(incident["report"]))
    if found is not None:
        more = f" ({found.count - 1} more in the report)" if found.count > 1 else ""
        yield context(f"*Seen before:* {prose(found.latest, 500)}{more}")
    elif any(e["tool"] == "past_incidents" and e["status"] == "no_data" for e in parts(incident, "evidence")):
        yield context("*Seen before:* nothing like it is in the casebook.")


def words_of_model(incident: Document) -> Iterator[Block]:
    """A model's words are never trusted: plain text under a label, after all that code says."""
    if incident["analyst"] != "llm" or not (words := model_words(str(incident["report"]))):
        return
    model = code(incident.get("model") or "a model", NAME)
    yield context(
        f"*In the words of the model* {model}: each sentence refers to evidence, but code did not write it."
    )
    yield plain_section(plain_lines(words, MODEL_WIDTH))


def _usd(value: object) -> Decimal:
    return Decimal(str(value))
