"""What a playbook may say, and which values are right; every message says what would be."""

import string
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

Cause = Literal[
    "volume_growth", "runaway_loop", "retry_storm", "prompt_bloat", "output_bloat", "model_switch",
    "price_change", "tokenizer_change", "cache_regression", "tier_change", "key_leak", "new_workload",
    "backfill_or_batch", "volume_drop", "accounting_artifact", "normal_variation", "unknown",
]  # fmt: skip
CAUSES: tuple[Cause, ...] = get_args(Cause)

Verdict = Literal["confirmed", "benign", "accounting_artifact", "inconclusive"]

OTHER_VERDICTS: Mapping[Cause, tuple[Verdict, ...]] = {
    "volume_growth": ("confirmed", "benign"),
    "new_workload": ("confirmed", "benign"),
    "backfill_or_batch": ("confirmed", "benign"),
    "volume_drop": ("confirmed", "benign"),
    "accounting_artifact": ("accounting_artifact",),
    "normal_variation": ("benign",),
    "unknown": ("inconclusive",),
}
"""The verdicts that go with a cause, where they are not `confirmed` alone."""

ActionName = Literal[
    "set_rate_limit", "set_budget", "downgrade_model", "block_key", "revoke_key", "fix_price",
    "notify_owner", "mark_expected",
]  # fmt: skip

Party = Literal["owner", "finops", "security", "platform"]
"""Who is told: the team that spends, who watches the bill, who guards the keys, who runs the gateways."""

WatchedFact = Literal[
    "cache_read_share_rise", "cost_ratio", "failed_share_rise", "input_tokens_per_request_ratio",
    "moved_share", "new_origin_share", "output_tokens_per_request_ratio", "requests_ratio",
    "retried_share_rise", "tier_moved_share", "unit_price_step", "unpriced_share", "usd_per_mtok_ratio",
]  # fmt: skip
"""Facts that one question about the scope gives at any later hour."""

Origin = Literal["shipped", "folder"]

OWNER_TEXT_FIELDS = frozenset({"scope", "delta_usd", "window"})


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line without control characters or unbreakable spaces")
    return text


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("must say something")
    return text


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"names {', '.join(twice)} twice")
    return names


Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=400), AfterValidator(_one_line)]
Sentence = Annotated[Line, AfterValidator(_not_empty)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Table):
    """One question to a named fact of the evidence."""

    fact: str = Field(min_length=1)
    op: Literal["at_least", "at_most"]
    value: Number
    weight: Number = Field(gt=0, le=5)
    """How much it says, in nats: 1 a hint, 2 clear, 3 strong, 5 all but proof."""
    why: Sentence
    """What holds when the rule does; reads on after `whether` and `that`, up to a colon."""
    why_not: Line = ""
    """What is said when a confirming rule does not hold; without it, `no sign that` and the why."""
    source: Line = ""
    """Where the threshold comes from."""

    @field_validator("fact")
    @classmethod
    def _only_known(cls, fact: str, info: ValidationInfo) -> str:
        known = info.context.get("facts") if info.context else None
        if known is not None and fact not in known:
            near = get_close_matches(fact, known, n=1)
            meant = f"did you mean {near[0]}? " if near else ""
            raise ValueError(f"no evidence gives it; {meant}known are {', '.join(sorted(known))}")
        return fact

    def holds(self, value: float) -> bool:
        return value >= self.value if self.op == "at_least" else value <= self.value

    def told(self, value: float) -> str:
        """What a value says, in words."""
        return self.why if self.holds(value) else self.why_not or f"no sign that {self.why}"


class Watch(_Table):
    """What must hold after a measure, for so many hours in a row, for the case to be over."""

    fact: WatchedFact
    op: Literal["at_least", "at_most"]
    value: Number
    hours: int = Field(strict=True, ge=1, le=168)


class FrontMatter(_Table):
    """What stands between the two `+++` lines."""

    cause: Cause
    verdict: Verdict
    title: Sentence
    summary: Sentence
    actions: Annotated[tuple[ActionName, ...], AfterValidator(_each_once)]
    """What may be proposed, in order of preference."""
    tell: Annotated[tuple[Party, ...], AfterValidator(_each_once)] = ("owner",)
    """Who is told, in order of preference."""
    owner_text: Sentence
    """What the owner is told; may use {scope}, {delta_usd} and {window}."""
    verify: Sentence
    """How one sees that it is over."""
    verify_when: Watch | None = None
    """The same for programs; left out where only a person can tell."""
    confirms: tuple[Rule, ...] = ()
    """Each speaks for the cause when it holds and against it when it does not."""
    refutes: tuple[Rule, ...] = ()
    """Each speaks against the cause when it holds and says nothing when it does not."""
    only_when: tuple[Rule, ...] = ()
    """All of them must hold, else the playbook is not weighed: what is not known does not hold."""
    never_when: tuple[Rule, ...] = ()
    """Where one of them holds, the cause cannot be told and is not named, whatever else fits."""
    benign_when: tuple[Rule, ...] = ()
    """When all of them hold, the verdict is `benign`."""

    @field_validator("cause")
    @classmethod
    def _fits_the_file(cls, cause: Cause, info: ValidationInfo) -> Cause:
        name = info.context.get("name") if info.context else None
        if name in CAUSES and name != cause:
            raise ValueError(f"a file of this name replaces the shipped {name}.md: its cause must be {name}")
        if cause == "unknown" and name not in (None, "unknown"):
            raise ValueError("only unknown.md has this cause: it is what is left when no playbook fits")
        return cause

    @field_validator("verdict")
    @classmethod
    def _goes_with_the_cause(cls, verdict: Verdict, info: ValidationInfo) -> Verdict:
        allowed = verdicts_of(info.data.get("cause"))
        if allowed and verdict not in allowed:
            raise ValueError(f"the verdict of {info.data['cause']} must be {' or '.join(allowed)}")
        return verdict

    @field_validator("actions")
    @classmethod
    def _reversible_first(cls, actions: tuple[ActionName, ...]) -> tuple[ActionName, ...]:
        if actions[:1] == ("revoke_key",):
            raise ValueError("revoke_key cannot be undone: name another action before it")
        return actions

    @field_validator("owner_text")
    @classmethod
    def _only_known_fields(cls, text: str) -> str:
        for _, name, spec, conversion in string.Formatter().parse(text):
            if name is not None and (name not in OWNER_TEXT_FIELDS or spec or conversion):
                known = ", ".join(f"{{{field}}}" for field in sorted(OWNER_TEXT_FIELDS))
                raise ValueError(f"may use {known} as they are, and nothing else in braces")
        return text

    @field_validator("refutes", "only_when", "never_when", "benign_when")
    @classmethod
    def _never_told_when_missing(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        if any(rule.why_not for rule in rules):
            raise ValueError("why_not is for confirming rules: of these nothing is told unless they hold")
        return rules

    @field_validator("benign_when")
    @classmethod
    def _may_be_benign(cls, rules: tuple[Rule, ...], info: ValidationInfo) -> tuple[Rule, ...]:
        allowed = verdicts_of(info.data.get("cause"))
        if rules and allowed and "benign" not in allowed:
            raise ValueError(f"{info.data['cause']} is never benign; leave it out")
        return rules


class Playbook(FrontMatter):
    """What is known about one cause."""

    name: str = ""
    """The file's name without its ending."""
    origin: Origin = "shipped"
    body: str = ""

    @property
    def rules(self) -> tuple[Rule, ...]:
        return (*self.confirms, *self.refutes, *self.only_when, *self.never_when, *self.benign_when)

    @classmethod
    def of(cls, front: FrontMatter, *, name: str, origin: Origin, body: str) -> Self:
        return cls.model_validate({**dict(front), "name": name, "origin": origin, "body": body})


def verdicts_of(cause: Cause | None) -> tuple[Verdict, ...]:
    """The verdicts that go with a cause; none where the cause itself is wrong."""
    return OTHER_VERDICTS.get(cause, ("confirmed",)) if cause else ()
