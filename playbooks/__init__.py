"""One Markdown file per cause: what confirms or refutes it, what may be proposed, what to tell the owner.

A playbook is TOML between two `+++` lines, then text for people. Here are only the schema and the loader.
"""

import re
import string
import tomllib
from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ledger.errors import RefusedError

Cause = Literal[
    "volume_growth", "runaway_loop", "retry_storm", "prompt_bloat", "output_bloat", "model_switch",
    "price_change", "tokenizer_change", "cache_regression", "tier_change", "key_leak", "new_workload",
    "backfill_or_batch", "volume_drop", "accounting_artifact", "normal_variation", "unknown",
]  # fmt: skip
CAUSES: tuple[Cause, ...] = get_args(Cause)

Verdict = Literal["confirmed", "benign", "accounting_artifact", "inconclusive"]

ActionName = Literal[
    "set_rate_limit", "set_budget", "downgrade_model", "block_key", "revoke_key", "fix_price",
    "notify_owner", "mark_expected",
]  # fmt: skip

OWNER_TEXT_FIELDS = frozenset({"scope", "delta_usd", "window"})


class Rule(BaseModel):
    """One question to a named fact of the evidence."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    fact: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    op: Literal["at_least", "at_most"]
    value: float = Field(allow_inf_nan=False)
    weight: float = Field(gt=0, le=5)
    """How much it says, in nats: 1 a hint, 2 clear, 3 strong, 5 all but proof."""
    why: str = Field(min_length=1)
    source: str = ""

    def holds(self, value: float) -> bool:
        return value >= self.value if self.op == "at_least" else value <= self.value


class Playbook(BaseModel):
    """What is known about one cause."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cause: Cause
    verdict: Verdict
    title: str = Field(min_length=1)
    summary: str = Field(min_length=1)
    confirms: tuple[Rule, ...] = ()
    """Each speaks for the cause when it holds and against it when it does not."""
    refutes: tuple[Rule, ...] = ()
    """Each speaks against the cause when it holds and says nothing when it does not."""
    benign_when: tuple[Rule, ...] = ()
    """When all of them hold, the verdict is `benign`."""
    actions: tuple[ActionName, ...]
    """What may be proposed, in order of preference."""
    owner_text: str = Field(min_length=1)
    """What the owner is told; may use {scope}, {delta_usd} and {window}."""
    verify: str = Field(min_length=1)
    """How one sees that it is over."""
    body: str = ""

    @field_validator("owner_text")
    @classmethod
    def _only_known_fields(cls, text: str) -> str:
        used = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        if used - OWNER_TEXT_FIELDS:
            raise ValueError(
                f"uses {sorted(used - OWNER_TEXT_FIELDS)}; known are {sorted(OWNER_TEXT_FIELDS)}"
            )
        return text


def load_playbooks(folder: Traversable | None = None) -> tuple[Playbook, ...]:
    """The playbooks of a folder (the shipped ones by default), in the order of CAUSES, one for each cause."""
    source = files("playbooks") if folder is None else folder
    found = [parse_playbook(f.read_text("utf-8"), f.name) for f in source.iterdir() if f.name.endswith(".md")]
    by_cause = {playbook.cause: playbook for playbook in found}
    _refuse_wrong_set([p.cause for p in found])
    return tuple(by_cause[cause] for cause in CAUSES)


def _refuse_wrong_set(causes: Iterable[Cause]) -> None:
    listed = sorted(causes)
    missing = [cause for cause in CAUSES if cause not in listed]
    twice = sorted({cause for cause in listed if listed.count(cause) > 1})
    if missing or twice:
        raise RefusedError(f"playbooks: missing {missing or 'none'}, given twice {twice or 'none'}")


def parse_playbook(text: str, name: str) -> Playbook:
    """Read one file; raises RefusedError with file, line and field."""
    parts = re.split(r"^\+\+\+[ \t]*$\n?", text, maxsplit=2, flags=re.MULTILINE)
    if len(parts) != 3 or parts[0].strip():
        raise RefusedError(f"{name}:1: a playbook starts with TOML between two lines of `+++`")
    front = parts[1]
    try:
        given = tomllib.loads(front)
    except tomllib.TOMLDecodeError as error:
        raise RefusedError(f"{name}:{_toml_line(str(error))}: {error}") from None
    try:
        return Playbook.model_validate({**given, "body": parts[2].strip()})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "front matter"
        raise RefusedError(f"{name}:{_field_line(front, first['loc'])}: {field}: {first['msg']}") from None


def _toml_line(message: str) -> int:
    """The line of the file for an error of the TOML parser, which counts without the first `+++`."""
    match = re.search(r"line (\d+)", message)
    return int(match[1]) + 1 if match else 1


def _field_line(front: str, loc: tuple[int | str, ...]) -> int:
    """The line on which the field stands: inside the n-th `[[table]]` where the field is in a list."""
    lines = front.splitlines()
    start = 0
    if len(loc) > 1 and isinstance(loc[1], int):
        heads = [i for i, line in enumerate(lines) if line.strip() == f"[[{loc[0]}]]"]
        start = heads[loc[1]] if loc[1] < len(heads) else 0
    name = str(loc[-1]) if loc else ""
    for i, line in enumerate(lines[start:], start=start):
        if re.match(rf"\s*{re.escape(name)}\s*=", line):
            return i + 2
    return start + 2
