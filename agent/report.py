"""The report of a finding in Markdown; every number is looked up in the evidence."""

from collections.abc import Iterator, Mapping, Sequence

from agent.analyst import Judged
from agent.evidence import Evidence
from agent.finding import Culprit, Finding, Proposal
from agent.look import row_scope
from agent.rendering import Ref, Rendered, Text, named_scope, render
from agent.scoring import Weighed
from playbooks import Cause, Playbook
from tools.split import EFFECTS

EFFECT_WORDS: Mapping[str, str] = {
    "volume": "more or fewer requests",
    "retries": "failed and retried requests",
    "new_entities": "new keys, features, projects, teams",
    "gone_entities": "keys, features, projects, teams that fell silent",
    "model_mix": "work moved between models",
    "tier_mix": "work moved between service tiers",
    "input_length": "longer or shorter input per request",
    "output_length": "longer or shorter output per request",
    "cache": "more or less of the prompt from the cache",
    "tokenizer": "more or fewer tokens for the same text",
    "price": "price per token",
    "unpriced": "tokens without a price",
    "trend": "difference of the seasonal expectation to the mean of the weeks before",
}


def write_report(
    finding: Finding,
    judged: Sequence[Judged],
    evidence: Sequence[Evidence],
    playbooks: Sequence[Playbook],
) -> Rendered:
    """The whole report, in the order in which a reader asks."""
    by_cause = {p.cause: p for p in playbooks}
    lines: list[Text] = [
        *_headline(finding, evidence, by_cause),
        *_effects(evidence),
        *_culprits(finding, evidence, by_cause),
        *_reasons(judged[0]),
        *_alternatives(finding, judged[0], by_cause),
        *_proposals(finding),
        *_checked(evidence),
    ]
    return render(lines, {e.id: e for e in evidence})


def _headline(
    finding: Finding, evidence: Sequence[Evidence], by_cause: Mapping[Cause, Playbook]
) -> Iterator[Text]:
    split = _first(evidence, "effects")
    playbook = by_cause[finding.cause]
    scope = finding.culprits[0].scope if finding.culprits else finding.scope
    yield (f"# {playbook.title}: {named_scope(scope)}",)
    yield ("",)
    size, direction = Ref(split, "delta_usd", "size_usd"), "less" if finding.delta_usd < 0 else "more"
    yield (
        f"**{_capital(named_scope(finding.scope))} cost ", size,
        f" {direction} than expected from {finding.window}: ",
        Ref(split, "actual_usd", "usd"), " instead of ", Ref(split, "expected_usd", "usd"), ".** ",
        playbook.summary,
    )  # fmt: skip
    yield ("",)
    yield (f"Verdict: {finding.verdict}. Cause: {finding.cause}, confidence {finding.confidence:.0%}.",)


def _effects(evidence: Sequence[Evidence]) -> Iterator[Text]:
    split = _first(evidence, "effects")
    yield from (
        ("",),
        ("## Where the change comes from",),
        ("",),
        ("| Effect | USD |  |",),
        ("|---|---:|---|",),
    )
    for name in EFFECTS:
        yield (f"| {name} | ", Ref(split, f"{name}_usd", "signed_usd"), f" | {EFFECT_WORDS[name]} |")
    yield ("| **change** | **", Ref(split, "delta_usd", "signed_usd"), "** | adds up to the cent |")


def _culprits(
    finding: Finding, evidence: Sequence[Evidence], by_cause: Mapping[Cause, Playbook]
) -> Iterator[Text]:
    if not finding.culprits:
        return
    yield from (("",), ("## Who carries it",), ("",))
    for culprit in finding.culprits:
        cause = by_cause[culprit.cause].title.lower()
        yield (f"- {named_scope(culprit.scope)}: ", _amount(culprit, evidence), f", {cause}")


def _amount(culprit: Culprit, evidence: Sequence[Evidence]) -> Ref:
    """The dollars of a culprit: its row among the suspects, else the whole change."""
    for found in evidence:
        for i, row in enumerate(found.rows if found.tool == "suspects" else ()):
            if "lead" in row and row_scope(row["scope"]) == culprit.scope:
                return Ref(found.id, f"rows.{i}.usd", "signed_usd")
    return Ref(_first(evidence, "effects"), "delta_usd", "signed_usd")


def _reasons(main: Judged) -> Iterator[Text]:
    if not main.best.supports:
        return
    yield from (("",), (f"## Why {main.best.cause}",), ("",))
    for weighed in main.best.supports:
        yield (f"- {_capital(weighed.rule.why)} ({weighed.rule.fact} {_shown(weighed)}, {weighed.evidence})",)


def _alternatives(finding: Finding, main: Judged, by_cause: Mapping[Cause, Playbook]) -> Iterator[Text]:
    if not finding.alternatives:
        return
    scored = {s.cause: s for s in main.ranked}
    yield from (("",), ("## What it is not",), ("",))
    for other in finding.alternatives:
        objections = scored[other.cause].objections[:2]
        told = "; ".join(_objection(w) for w in objections) or "fits less well"
        yield (f"- {by_cause[other.cause].title} ({other.confidence:.0%}): {told}",)


def _objection(weighed: Weighed) -> str:
    """A confirming rule that failed, or a refuting one that held."""
    met = weighed.rule.holds(weighed.value)
    text = weighed.rule.why if met else f"no sign that {weighed.rule.why}"
    return f"{text} ({weighed.rule.fact} {_shown(weighed)}, {weighed.evidence})"


def _proposals(finding: Finding) -> Iterator[Text]:
    yield from (("",), ("## What can be done",), ("",))
    if not finding.proposals:
        yield ("Nothing is proposed.",)
    for i, proposal in enumerate(finding.proposals, start=1):
        yield (f"{i}. {_measure(proposal)}", *_blast(proposal), f". {_capital(proposal.rationale)}.")


def _measure(proposal: Proposal) -> str:
    parameters = proposal.measure.model_dump(mode="json", exclude={"action", "message"}, exclude_none=True)
    told = ", ".join(f"{name} {value}" for name, value in parameters.items())
    return f"`{proposal.action}` on {named_scope(proposal.target.scope)}{f' ({told})' if told else ''}"


def _blast(proposal: Proposal) -> Text:
    if proposal.expected_saving_usd_per_day is None or not proposal.evidence:
        return ()
    replay = proposal.evidence[0]
    kind = "" if proposal.reversible else "; cannot be undone"
    return (
        ": would have saved ", Ref(replay, "saving_usd_per_day", "usd"), " and refused ",
        Ref(replay, "requests_refused_per_day", "count"), f" requests per day over the last week{kind}",
    )  # fmt: skip


def _checked(evidence: Sequence[Evidence]) -> Iterator[Text]:
    yield from (("",), ("## What was checked",), ("",))
    for found in evidence:
        against = f", against {len(found.baseline)} earlier windows" if found.baseline else ""
        answered = f"{found.status}, {len(found.rows)} rows{against}"
        yield (f"- {found.id} {found.tool} on {named_scope(found.where)}: {answered}",)


def _first(evidence: Sequence[Evidence], tool: str) -> str:
    return next((e.id for e in evidence if e.tool == tool), "")


def _shown(weighed: Weighed) -> str:
    return f"{weighed.value:,.3g}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
