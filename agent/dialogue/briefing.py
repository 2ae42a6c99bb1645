"""What the model is told first: how to work, the causes, and what the deterministic analyst saw."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from agent.analyst import Judged
from agent.dialogue.channel import MAX_BLOCK, data_block, evidence_block, plain
from agent.dialogue.prompts import prompt
from agent.evidence import Evidence, StoredRow
from agent.finding import Finding
from agent.llm.port import Message
from agent.reasons import CLOSE
from agent.scoring import Scored
from agent.settling import what_settles
from playbooks import CAUSES, Playbook

SHOWN: Mapping[str, int] = {"effects": 0, "slices": 4, "changes": 5, "past_incidents": 3, "switchers": 3}
"""Tools of the first look whose answers are shown, with so many rows; the others can be asked for."""
OF_SLICE = (
    "scope", "lead", "usd", "baseline_usd", "actual_usd", "spreads", "requests_unknown", "requests_ratio",
    "input_tokens_per_request_ratio", "output_tokens_per_request_ratio", "usd_per_mtok_ratio",
    "failed_share_rise", "retried_share_rise", "cache_read_share_rise", "new_scope", "stranger",
)  # fmt: skip
CONTENDERS = 3
RULES = 4
PLAYBOOKS = 2


@dataclass(frozen=True, slots=True)
class Look:
    """What the deterministic analyst saw and concluded."""

    finding: Finding
    judged: Sequence[Judged]
    evidence: Sequence[Evidence]


def opening(look: Look, playbooks: Iterable[Playbook], labels: Mapping[str, str]) -> tuple[Message, ...]:
    """The first two messages; `labels` maps ids of shown evidence to their short names."""
    return (
        Message(role="system", content=system_prompt(playbooks)),
        Message(role="user", content=first_look(look, labels)),
    )


def system_prompt(playbooks: Iterable[Playbook]) -> str:
    """How to work, and a line for each cause."""
    summaries = {p.cause: p.summary for p in reversed(tuple(playbooks))}
    lines = [f"- `{cause}`: {summaries[cause]}" for cause in CAUSES if cause in summaries]
    return "\n".join([prompt("system"), *lines])


def shown_first(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The pieces of the first look that the model is shown."""
    return tuple(e for e in evidence if e.tool in SHOWN and (e.status == "ok" or e.tool == "effects"))


def first_look(look: Look, labels: Mapping[str, str]) -> str:
    """The incident, what the rules say, and the evidence that shows most."""
    finding = look.finding
    parts = [
        f"The incident lies between {finding.window}. What it is about, and what the rules conclude:",
        data_block('id="incident"', _incident(look)),
        *_bodies(look.judged),
        "Evidence of the first look; what the other tools say has not been shown to you yet:",
    ]
    parts += [
        evidence_block(labels[e.id], _shortened(e), most=MAX_BLOCK // 3)
        for e in shown_first(look.evidence)
        if e.id in labels
    ]
    return "\n".join(parts)


def _bodies(judged: Sequence[Judged]) -> Iterator[str]:
    """The playbooks of the causes that compete for the largest suspect, as their authors wrote them."""
    close = [s for s in judged[0].ranked if s.confidence >= CLOSE][:PLAYBOOKS]
    for scored in close:
        yield f"Playbook for `{scored.cause}`:\n{scored.playbook.body}"


def _incident(look: Look) -> dict[str, JsonValue]:
    finding = look.finding
    return {
        "scope": plain(dict(finding.scope.items)),
        "expected_usd": plain(finding.expected_usd),
        "actual_usd": plain(finding.actual_usd),
        "delta_usd": plain(finding.delta_usd),
        "verdict": finding.verdict,
        "suspects": [_suspect(judged, look.finding) for judged in look.judged],
        "unpriced_tokens": finding.unpriced_tokens,
    }


def _suspect(judged: Judged, finding: Finding) -> JsonValue:
    close = [s for s in judged.ranked if s.confidence >= 0.01][:CONTENDERS]
    told: dict[str, JsonValue] = {
        "scope": plain(dict(judged.scope.items)),
        "usd": plain(judged.delta_usd),
        "causes": [_contender(scored) for scored in close],
    }
    if len(close) > 1 and finding.delta_usd:
        told["would_settle_it"] = what_settles(close[0], close[1], judged.signals)
    return told


def _contender(scored: Scored) -> JsonValue:
    return {
        "cause": scored.cause,
        "probability": scored.confidence,
        "for": [w.rule.why for w in scored.supports[:RULES]],
        "against": [w.rule.told(w.value) for w in scored.objections[:2]],
    }


def _shortened(evidence: Evidence) -> Evidence:
    """Fewer rows and columns; the numbers of rows stay, so that references to them hold."""
    most = SHOWN[evidence.tool]
    rows = tuple(_columns(evidence.tool, row) for row in evidence.rows[:most]) if most else ()
    left = len(evidence.rows) - len(rows)
    facts = {**evidence.facts, **({"rows_not_shown": left} if left and most else {})}
    return evidence.model_copy(update={"rows": rows, "facts": facts})


def _columns(tool: str, row: StoredRow) -> StoredRow:
    return {k: row[k] for k in OF_SLICE if k in row} if tool == "slices" else dict(row)
