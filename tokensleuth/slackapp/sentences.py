"""An incident in sentences: what happened, to whom, how much, how sure."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import cast

from tokensleuth.slackapp.escaping import code, plain, prose
from tokensleuth.slackapp.report_parts import summary
from tokensleuth.terminal.text import (
    Document,
    cause_text,
    counted,
    hours,
    instant,
    parts,
    percent,
    period,
    usd,
    words,
)

MOST_DIMENSIONS = 6
NAME = 60
TITLED = 2
"""So many dimensions of the scope are in a title."""
Named = Callable[[object, int], str]


def title(incident: Document) -> str:
    """For a header and for notifications, at most 150 characters of plain text."""
    cause = plain(cause_text(incident), 40)
    amount = f"{usd(incident['delta_usd'], signed=True)} in {hours(incident)} h"
    scope = dict(list(cast(Document, incident["scope"]).items())[:TITLED])
    return plain(f"{cause[:1].upper()}{cause[1:]}: {amount}, {scope_text(scope, plain, 40)}", 150)


def what_happened(incident: Document) -> str:
    """Who, how much more than expected, in which hours, and why, in mrkdwn."""
    delta = Decimal(str(incident["delta_usd"]))
    size, way = usd(abs(delta)), "less" if delta < 0 else "more"
    who = scope_text(incident["scope"], code)
    paid = f"{usd(incident['actual_usd'])} instead of {usd(incident['expected_usd'])}"
    told = summary(str(incident["report"]))
    if incident.get("kind") == "reconciliation":
        compared = f"is counted *{size} {way}* than billed"
    else:
        compared = f"cost *{size} {way}* than expected"
    return (
        f"{who[:1].upper()}{who[1:]} {compared} from {period(incident)}: {paid}.\n"
        f"Cause: *{cause_told(incident)}*." + (f" {prose(told)}" if told else "")
    )


def cause_told(incident: Document) -> str:
    """`key leak, 88% sure`, and what else it might be."""
    told = f"{prose(words(incident['cause']), NAME)}, {percent(incident['confidence'])} sure"
    if incident["verdict"] != "confirmed":
        told += f" ({prose(words(incident['verdict']), NAME)})"
    rivals = [a for a in parts(incident, "alternatives") if cast(float, a["confidence"]) >= 0.1][:2]
    named = (f"{prose(words(a['cause']), NAME)} {percent(a['confidence'])}" for a in rivals)
    return told + "".join(f", or {rival}" for rival in named)


def in_one_line(incident: Document) -> str:
    """For lists of incidents, in mrkdwn."""
    amount = usd(incident["delta_usd"], signed=True)
    scope = dict(list(cast(Document, incident["scope"]).items())[:3])
    when = f"{instant(incident['start_at'])} UTC, {hours(incident)} h"
    cause = f"{prose(words(incident['cause']), NAME)} {percent(incident['confidence'])}"
    told = "" if incident["verdict"] == "confirmed" else f", {prose(words(incident['verdict']), NAME)}"
    return f"*{amount}* {cause}{told}: {scope_text(scope, code, 40)} ({when})"


def scope_text(scope: object, name: Named, most: int = NAME) -> str:
    """`team mobile, key k1` with each name made safe by `name`; of everything, `all spend`."""
    items = list(cast(Document, scope).items())
    told = [f"{_dimension(d, name)} {name(value, most)}" for d, value in items[:MOST_DIMENSIONS]]
    more = len(items) - MOST_DIMENSIONS
    return ", ".join([*told, *([f"{more} more"] if more > 0 else [])]) or "all spend"


def effect_sum(incident: Document) -> str:
    """That the effects add up, in mrkdwn."""
    effects = [Decimal(str(e["usd"])) for e in parts(incident, "effects")]
    zeros = sum(not e for e in effects)
    whole = Decimal(str(incident["delta_usd"])) == sum(effects)
    told = "to the cent" if whole else "with what no effect explains"
    others = f" {counted(zeros, 'effect')} {'is' if zeros == 1 else 'are'} zero." if zeros else ""
    total = usd(incident["delta_usd"], signed=True)
    return f"*Where it comes from.* The steps add up to {total}, {told}.{others}"


def culprit_lines(culprits: Sequence[Document], incident: Document) -> Iterator[str]:
    """A line for each in mrkdwn."""
    for culprit in culprits:
        share = "" if culprit["share"] is None else f"{percent(culprit['share'])} of it, "
        since = culprit.get("onset_at")
        began = "" if since in (None, incident["start_at"]) else f", since {instant(since)} UTC"
        cause = f"{prose(words(culprit['cause']), NAME)}, {percent(culprit['confidence'])} sure"
        by_model = ", *blamed by the model alone*" if culprit.get("decided_by") == "llm" else ""
        amount = usd(culprit["delta_usd"], signed=True)
        yield f"{scope_text(culprit['scope'], code)}: *{amount}*, {share}{cause}{began}{by_model}"


def doubts(incident: Document) -> Iterator[str]:
    """What limits how far the numbers can be trusted, in mrkdwn."""
    if unpriced := cast(int, incident["unpriced_tokens"]):
        yield f"{counted(unpriced, 'token')} have no price and are in no amount here"
    if claims := cast(int, incident["unsupported_claims"]):
        yield f"{counted(claims, 'claim')} of the model not backed by evidence, left out"
    if incident["degraded"]:
        because = cast(Sequence[object], incident.get("degraded_because") or ())
        yield (
            "; ".join(prose(b, 200) for b in because[:2]) or "a part of the analysis failed; this is the rest"
        )


def plain_word(value: object, safe: Named) -> str:
    """As it is where it is made of letters only, as what comes from our closed lists."""
    told = str(value)
    letters = told.isascii() and told.replace(" ", "").isalpha() and len(told) < NAME
    return told if letters else safe(value, NAME)


def _dimension(name: object, safe: Named) -> str:
    """Dimensions are a closed list of ours: what else stands there is shown as data."""
    return plain_word(words(name).removesuffix(" id"), safe)
