"""Slack's limits on a message: what breaks one is an error; what is too much is left out, and told."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from tokensleuth.slackapp.escaping import width

Block: TypeAlias = dict[str, object]

MOST_BLOCKS: Final = 50
MOST_TEXT: Final = 4000
"""Of the text beside the blocks, which notifications show; longer ones are cut by Slack."""
MOST_SHOWN: Final = 12_000
"""Of all texts in the blocks; at about 13,200 Slack answers msg_blocks_too_long (slackapi/bolt-js 2509)."""
MOST_ROWS: Final = 100
MOST_COLUMNS: Final = 20
MOST_TABLE: Final = 10_000
MOST_ID: Final = 255
MOST_OF: Final[Mapping[str, int]] = {
    "header": 150,
    "section": 3000,
    "field": 2000,
    "context": 2000,
    "button": 75,
    "title": 100,
    "confirm": 30,
    "question": 300,
    "cell": 2000,
    "alt_text": 2000,
    "value": 2000,
    "url": 3000,
}
_COUNTS: Final = {"fields": 10, "elements": 25}
_CONTEXT_ELEMENTS: Final = 10


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message: the text for notifications, and its blocks."""

    text: str
    blocks: list[Block]


@dataclass(frozen=True, slots=True)
class Part:
    """Blocks that are shown together or not at all."""

    blocks: Sequence[Block]
    noun: str
    """What it is called where it is left out, such as `proposal`."""
    rank: int = 1
    """The lowest goes in first; 0 always does."""


def fitted(
    parts: Sequence[Part],
    *,
    last: Sequence[Part] = (),
    where: Block,
    missing: Mapping[str, int] | None = None,
) -> list[Block]:
    """The blocks of the parts in their order, as many as fit.

    `missing` was left out before. `where` says where the rest is: a context block that is in the message only
    where something was left out, with how much of what in front of its text.
    """
    every = [*parts, *last]
    kept: set[int] = set()
    blocks, shown = 1, _shown([where]) + 300
    for i in sorted(range(len(every)), key=lambda i: every[i].rank):
        more, longer = len(every[i].blocks), _shown(every[i].blocks)
        if every[i].rank == 0 or (blocks + more <= MOST_BLOCKS and shown + longer <= MOST_SHOWN):
            kept.add(i)
            blocks, shown = blocks + more, shown + longer
    gone = Counter(part.noun for i, part in enumerate(every) if i not in kept) + Counter(missing or {})
    before = [block for i, part in enumerate(parts) if i in kept for block in part.blocks]
    after = [block for i, part in enumerate(last, len(parts)) if i in kept for block in part.blocks]
    return [*before, *([_with_missing(where, gone)] if gone else []), *after]


def check(blocks: Sequence[Block], text: str) -> None:
    """Raises ValueError with the first limit of Slack that the message breaks."""
    _most("text", text, MOST_TEXT)
    if not 1 <= len(blocks) <= MOST_BLOCKS:
        raise ValueError(f"{len(blocks)} blocks: a message has 1 to {MOST_BLOCKS}")
    for name in ("block_id", "action_id"):
        _check_ids(name, blocks)
    for block in blocks:
        for what, found in _texts(block):
            _most(what, found, MOST_OF[what])
        _check_counts(block)
    tables = [block for block in blocks if block["type"] == "table"]
    if len(tables) > 1:
        raise ValueError(f"{len(tables)} tables: a message has at most one")
    for table in tables:
        _check_table(table)
    if (shown := _shown(blocks)) > MOST_SHOWN:
        raise ValueError(f"{shown:,} characters in the blocks: at most {MOST_SHOWN:,}")


def _most(what: str, text: str, most: int) -> None:
    text.encode()
    if not 1 <= width(text) <= most:
        raise ValueError(f"{what} has {width(text):,} characters, not 1 to {most:,}: {text[:60]!r}")


def _check_ids(name: str, blocks: Sequence[Block]) -> None:
    found = [str(d[name]) for block in blocks for d in _objects(block) if name in d]
    for value, times in Counter(found).items():
        _most(name, value, MOST_ID)
        if times > 1:
            raise ValueError(f"{name} {value!r} is there {times} times: each once in a message")


def _check_counts(block: Block) -> None:
    for name, most in _COUNTS.items():
        allowed = _CONTEXT_ELEMENTS if block["type"] == "context" else most
        if (count := len(_list(block, name))) > allowed:
            raise ValueError(f"{count} {name} in a {block['type']} block: at most {allowed}")


def _check_table(table: Block) -> None:
    rows = [row for row in _list(table, "rows") if isinstance(row, list)]
    columns = {len(row) for row in rows}
    if not 1 <= len(rows) <= MOST_ROWS or len(columns) > 1 or not 1 <= max(columns) <= MOST_COLUMNS:
        raise ValueError(
            f"a table of {len(rows)} rows and {sorted(columns)} columns: "
            f"at most {MOST_ROWS} and {MOST_COLUMNS}, all rows alike"
        )
    if (shown := _shown([table])) > MOST_TABLE:
        raise ValueError(f"{shown:,} characters in a table: at most {MOST_TABLE:,}")


def _texts(block: Block) -> Iterator[tuple[str, str]]:
    """Each text of a block with the name of its limit."""
    kind = str(block["type"])
    if kind in ("header", "section") and isinstance(text := block.get("text"), dict):
        yield kind, str(text["text"])
    for name, what in (("fields", "field"), ("elements", "context"), ("alt_text", "alt_text")):
        if name == "alt_text" and name in block:
            yield what, str(block[name])
        elif not (name == "elements" and kind == "actions"):
            yield from ((what, str(d["text"])) for d in _list(block, name) if isinstance(d, dict))
    for found in _objects(block):
        yield from _button_texts(found)
        if found.get("type") == "raw_text":
            yield "cell", str(found["text"])


def _button_texts(found: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    if found.get("type") == "button":
        yield "button", _words(found["text"])
        yield from ((name, str(found[name])) for name in ("value", "url") if name in found)
    if "deny" in found:
        names = {"title": "title", "text": "question", "confirm": "confirm", "deny": "confirm"}
        yield from ((what, _words(found[name])) for name, what in names.items())


def _objects(value: object) -> Iterator[Mapping[str, object]]:
    if isinstance(value, Mapping):
        yield value
        for inner in value.values():
            yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner)


def _words(text: object) -> str:
    return str(text["text"]) if isinstance(text, Mapping) else str(text)


def _shown(blocks: Sequence[Block]) -> int:
    return sum(
        width(text) for block in blocks for what, text in _texts(block) if what not in ("value", "url")
    )


def _list(block: Block, name: str) -> list[object]:
    found = block.get(name)
    return found if isinstance(found, list) else []


def _with_missing(where: Block, missing: Mapping[str, int]) -> Block:
    told = ", ".join(f"{n:,} {noun}{'s' * (n > 1)}" for noun, n in missing.items())
    first, *others = [dict(d) for d in _list(where, "elements") if isinstance(d, dict)]
    first["text"] = f"*Left out for length:* {told}. {first['text']}"
    return where | {"elements": [first, *others]}
