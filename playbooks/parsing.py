"""One playbook file as text: TOML between two `+++` lines, then text for people and the model."""

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePath

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ledger.errors import RefusedError
from playbooks.schema import FrontMatter, Origin, Playbook

NAME = re.compile(r"[a-z][a-z0-9_]*")
LONGEST_VALUE = 60
_FENCE = re.compile(r"^\+\+\+[ \t]*$\n?", re.MULTILINE)
Path = tuple[int | str, ...]
"""Where a field stands: table, number of the entry, key."""


def parse_playbook(
    text: str, file: str, *, facts: Collection[str] | None = None, origin: Origin = "shipped"
) -> Playbook:
    """Read one file; raises RefusedError with file, line, field and value, a line for each thing wrong.

    `facts` are those that a rule may ask for; without them any name is taken.
    """
    name = PurePath(file).stem
    if not NAME.fullmatch(name):
        raise RefusedError(
            f"{file}:1: the file's name is the playbook's: a letter, then letters, digits and _, all small"
        )
    parts = _FENCE.split(text, maxsplit=2)
    if len(parts) != 3 or parts[0].strip():
        raise RefusedError(f"{file}:1: a playbook starts with TOML between two lines of `+++`")
    offset = parts[0].count("\n") + 1
    given = _toml(parts[1], file, offset)
    try:
        front = FrontMatter.model_validate(given, context={"facts": facts, "name": name})
    except ValidationError as error:
        found = sorted((_line_of(w["loc"], parts[1]) + offset, _told(w)) for w in error.errors())
        raise RefusedError("\n".join(f"{file}:{line}: {told}" for line, told in found)) from None
    return Playbook.of(front, name=name, origin=origin, body=parts[2].strip())


def _toml(front: str, file: str, offset: int) -> Mapping[str, object]:
    try:
        return tomllib.loads(front)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else front.count("\n") or 1
        raise RefusedError(f"{file}:{line + offset}: {error}") from None
    except (ValueError, RecursionError) as error:
        # Numbers of thousands of digits, and tables inside tables without end.
        raise RefusedError(f"{file}:{1 + offset}: cannot be read as TOML: {error}") from None


def _told(wrong: ErrorDetails) -> str:
    """Field, value, and what would be right."""
    field = ".".join(str(part) for part in wrong["loc"])
    if wrong["type"] == "missing":
        return f"{field}: is missing"
    if wrong["type"] == "extra_forbidden":
        return f"{field}: is no field of a playbook"
    return f"{field} = {_shown(wrong['input'])}: {_reason(wrong)}"


def _reason(wrong: ErrorDetails) -> str:
    message = wrong["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _shown(value: object) -> str:
    if isinstance(value, (list, tuple, dict)):
        return f"a table or list of {len(value)}"
    if isinstance(value, int) and abs(value) >= 10**LONGEST_VALUE:
        return "a very large number"
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}..."


def _line_of(loc: Path, front: str) -> int:
    """The line of the front matter, from 1, on which a field stands, or its table where it is missing."""
    lines = front.split("\n")
    keys = [part for part in loc if isinstance(part, str)]
    number = next((part for part in loc if isinstance(part, int)), 0)
    heads = _matching(lines, rf"\s*\[\[?\s*{re.escape(keys[0])}\s*\]\]?") if keys else []
    if heads:
        head = heads[min(number, len(heads) - 1)]
        block = _block(lines, head)
        found = _matching(block, rf"\s*{re.escape(keys[-1])}\s*=") if len(keys) > 1 else []
        return head + 1 + (found[0] if found else 0)
    top = _block(["", *lines], 0)
    found = _matching(top, rf"\s*{re.escape(keys[0])}\s*=") if keys else []
    return found[0] if found else 1


def _block(lines: Sequence[str], head: int) -> list[str]:
    """The lines from a table's head to the next one's."""
    ends = (i for i in range(head + 1, len(lines)) if re.match(r"\s*\[\[?[\w\s]+\]\]?\s*(#|$)", lines[i]))
    return list(lines[head : next(ends, len(lines))])


def _matching(lines: Sequence[str], pattern: str) -> list[int]:
    return [i for i, line in enumerate(lines) if re.match(pattern, line)]
