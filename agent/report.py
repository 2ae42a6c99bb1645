"""The report of a finding in Markdown; every number is looked up in the evidence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from agent.analyst import Judged, onset_of
from agent.effect_text import effect_lines
from agent.escaping import escaped
from agent.evidence import Evidence
from agent.finding import Culprit, Finding
from agent.headings import CULPRITS, MODEL_WORDS
from agent.look import row_scope, slice_of
from agent.proposal_text import proposal_lines
from agent.reasons import (
    CLOSE,
    capital,
    close_calls,
    likely,
    objections,
    percent,
    reasons,
    settled,
    words,
)
from agent.rendering import Format, Piece, Ref, Rendered, Share, Text, named_scope, render
from agent.statement import Statement, statement_lines
from agent.who_looked import who_looked
from ledger.scope import Scope
from ledger.window import short_text
from playbooks import Cause

HEADLINED = 2
"""So many culprits are named in the first sentence."""
REMEMBERED = 3
"""So many incidents of the past are told."""
MOST_SHARE = 1.2
LEAST_REST = 0.05


@dataclass(frozen=True, slots=True)
class Told:
    """What a report tells of."""

    finding: Finding
    judged: Sequence[Judged]
    evidence: Sequence[Evidence]
    statement: Statement | None = None
    """The model's words that evidence backs; None where the rules alone speak."""

    @property
    def main(self) -> Judged:
        return self.judged[0]

    @property
    def split(self) -> str:
        """The id of the evidence that splits the change."""
        return next((e.id for e in self.evidence if e.tool == "effects"), "")

    def amount(self, culprit: Culprit, how: Format) -> Ref:
        """The dollars of a culprit: its row among the suspects, else the whole change."""
        if found := slice_of(self.evidence, culprit.scope):
            return Ref(found.evidence.id, f"rows.{found.position}.usd", how)
        compared = (e for e in self.evidence if e.tool == "compare" and e.where == culprit.scope)
        if culprit.scope != self.finding.scope and (source := next(compared, None)):
            return Ref(source.id, "change_usd", how)
        return Ref(self.split, "delta_usd", how)

    def alternatives(self, *, close: bool) -> tuple[Cause, ...]:
        """The close calls, or what is ruled out."""
        return tuple(a.cause for a in self.finding.alternatives if (a.confidence >= CLOSE) == close)

    def share(self, *culprits: Culprit) -> Share:
        """Their part of the change."""
        amounts = tuple(self.amount(culprit, "usd") for culprit in culprits)
        return Share(amounts, Ref(self.split, "delta_usd", "usd"))


def write_report(case: Told) -> Rendered:
    """The whole report, in the order in which a reader asks."""
    lines: list[Text] = [
        *_headline(case),
        *_statement(case),
        *_effects(case),
        *_culprits(case),
        *_alternatives(case),
        *_changes(case),
        *_seen_before(case),
        *_proposals(case.finding),
        *_checked(case.evidence),
        *_section("Who looked"),
        *who_looked(case.finding, case.statement),
    ]
    return render(lines, {e.id: e for e in case.evidence})


def _statement(case: Told) -> Iterator[Text]:
    """The model's words, apart from what code wrote."""
    if case.statement is not None:
        yield from _section(MODEL_WORDS)
        yield from statement_lines(case.statement)


def _headline(case: Told) -> Iterator[Text]:
    """The bold sentence ends in `.** `; the card of the terminal takes what follows it."""
    finding, split = case.finding, case.split
    first, *others = [c.scope for c in finding.culprits] or [finding.scope]
    more = f", and {len(others)} more" if others else ""
    yield (f"# {capital(words(finding.cause))}: {_scope(first)}{more}",)
    yield ("",)
    yield (
        f"**{capital(_scope(finding.scope))} cost ", Ref(split, "delta_usd", "size_usd"),
        f" {'less' if finding.delta_usd < 0 else 'more'} than expected from {finding.window}: ",
        Ref(split, "actual_usd", "usd"), " instead of ", Ref(split, "expected_usd", "usd"),
        *_who(case), ".** ", _what(case),
    )  # fmt: skip
    yield ("",)
    close = [s for s in case.main.ranked[1:] if s.cause in case.alternatives(close=True)]
    rivals = "".join(f", or {likely(other)}" for other in close)
    yield (f"Verdict: {words(finding.verdict)}. Cause: {likely(case.main.best)}{rivals}.",)


def _what(case: Told) -> str:
    """What happened, without a number of it; of several causes the largest."""
    causes, summary = len(case.finding.culprits), case.main.best.playbook.summary
    return f"The largest of {causes} causes: {summary[:1].lower()}{summary[1:]}" if causes > 1 else summary


def _who(case: Told) -> Iterator[Piece]:
    """`, 98% of the change from retry storm in ...`; nothing where that only repeats the question.

    In dollars where a culprit is far more than the change, because something else went the other way.
    """
    asked = case.finding.scope
    culprits = [c for c in case.finding.culprits if c.share is not None and c.share > 0]
    if [c.scope for c in culprits] == [asked]:
        return
    of_change = all(c.share is not None and c.share <= MOST_SHARE for c in culprits)
    for i, culprit in enumerate(culprits[:HEADLINED]):
        within = Scope.of([item for item in culprit.scope.items if item not in asked.items])
        yield " and " if i else ", "
        yield case.share(culprit) if of_change else case.amount(culprit, "signed_usd")
        place = f" in {_scope(within)}" if within.items else ""
        yield f"{' of the change' if of_change and not i else ''} from {words(culprit.cause)}{place}"


def _effects(case: Told) -> Iterator[Text]:
    yield from _section("Where the change comes from")
    yield from effect_lines(case.finding, case.split, case.evidence)


def _culprits(case: Told) -> Iterator[Text]:
    """Each culprit with why it is told so; what is no culprit still has its reasons."""
    if not case.finding.culprits:
        if why := list(reasons(case.main.best)):
            yield from _section(f"Why {words(case.main.best.cause)}")
            yield from why
        return
    yield from _section(CULPRITS)
    by_scope = {j.scope: j for j in case.judged}
    for culprit in case.finding.culprits:
        amount = case.amount(culprit, "signed_usd")
        share: Text = () if culprit.share is None else (case.share(culprit), " of the change, ")
        told = f"{words(culprit.cause)}, confidence {percent(culprit.confidence)} ({amount.evidence_id})"
        yield (f"- {_scope(culprit.scope)}: ", amount, ", ", *share, told, _since(case, culprit))
        judged = by_scope[culprit.scope]
        yield from (("  ", *line) for line in reasons(judged.best))
        if judged is not case.main:
            yield from (("  ", line) for line in close_calls(judged))
    yield from _rest(case)


def _since(case: Told, culprit: Culprit) -> str:
    """When it began, where that is not the incident's start."""
    began = onset_of(case.evidence, culprit.scope)
    if began.at is None or not began.moved:
        return ""
    return f", since {short_text(began.at)} UTC ({began.evidence})"


def _rest(case: Told) -> Iterator[Text]:
    """What the culprits leave of the change, where that is not next to nothing."""
    shares = [c.share for c in case.finding.culprits if c.share is not None]
    if not shares or abs(sum(shares) - 1) < LEAST_REST:
        return
    yield ("",)
    rest = "the rest does not stand out" if sum(shares) < 1 else "the rest went the other way"
    yield (case.share(*case.finding.culprits), f" of the change is told of here; {rest}.")


def _alternatives(case: Told) -> Iterator[Text]:
    """What is still possible, and what would settle it; then what is ruled out, and by what."""
    scored = {s.cause: s for s in case.main.ranked}
    for title, close in (("What else it could be", True), ("What it is not", False)):
        others = [scored[cause] for cause in case.alternatives(close=close)]
        yield from _section(title) if others else ()
        for other in others:
            yield (f"- {capital(likely(other))}: ", *objections(other))
            if close:
                yield (f"  - {settled(case.main, other)}",)


def _changes(case: Told) -> Iterator[Text]:
    """Dated changes; that there are none is told only where somebody looked for all of them."""
    if case.finding.changes:
        yield from _section("What changed near the window")
        for change in sorted(case.finding.changes, key=lambda c: c.at):
            at = short_text(change.at)
            yield (f"- {at} UTC, {change.kind}: {escaped(change.what)} ({change.source})",)
        return
    looked = [e for e in case.evidence if e.tool == "changes" and e.status != "failed"]
    if looked and not any(e.number("changes") for e in looked):
        yield from _section("What changed near the window")
        yield ("No price, model, key, tier, client or cache is known to have changed.",)


def _seen_before(case: Told) -> Iterator[Text]:
    """Similar incidents of the past and what people decided; nothing where there are none."""
    found = next(
        (e for e in case.evidence if e.tool == "past_incidents" and e.where == case.main.scope), None
    )
    if found is None or not found.rows:
        return
    yield from _section("Seen before")
    for i, row in enumerate(found.rows[:REMEMBERED]):
        amount = Ref(found.id, f"rows.{i}.delta_usd", "signed_usd")
        when = short_text(datetime.fromisoformat(str(row["start_at"])))
        told = f"- {when} UTC, {_scope(row_scope(row['scope']))}: {words(str(row['cause']))}, "
        yield (told, amount, f", {row['verdict']}; decisions: {escaped(str(row['decisions']))} ({found.id})")
        if row.get("note"):
            yield (f"  - Note: {escaped(str(row['note']))}",)


def _proposals(finding: Finding) -> Iterator[Text]:
    yield from _section("What can be done")
    yield from proposal_lines(finding.proposals)


def _checked(evidence: Sequence[Evidence]) -> Iterator[Text]:
    """A line for each scope that was looked at, in the order in which it was."""
    yield from _section("What was checked")
    seen = list(dict.fromkeys(e.where for e in evidence))
    for where, asked in groupby(sorted(evidence, key=lambda e: seen.index(e.where)), key=lambda e: e.where):
        yield (f"- {capital(_scope(where))}: {', '.join(map(_answered, asked))}",)
    windows = max((len(e.baseline) for e in evidence), default=0)
    if windows:
        yield ("",)
        told = "an earlier window" if windows == 1 else f"up to {windows} earlier windows"
        yield (f"Compared with the same hours in {told}.",)


def _answered(found: Evidence) -> str:
    answers = {"ok": "", "no_data": " (no data)", "failed": " (**failed**)"}
    by = found.arguments.get("by") or found.arguments.get("dimension") or []
    named = " and ".join(map(str, by)) if isinstance(by, list) else str(by)
    told = words(f"{found.tool} by {named.removesuffix('_id')}" if named else found.tool)
    return f"{told} {found.id}{answers[found.status]}"


def _section(title: str) -> tuple[Text, ...]:
    return ("",), (f"## {title}",), ("",)


def _scope(scope: Scope) -> str:
    return escaped(named_scope(scope))
