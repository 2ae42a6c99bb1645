"""The dimensions of spend and the scope they span: which provider, model, team, key and so on."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from ledger.errors import RefusedError

Dimension = Literal[
    "provider", "model", "team", "project", "key_id", "user", "feature", "region", "service_tier", "client"
]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)

UNALLOCATED = "UNALLOCATED"
"""The value of a dimension that nobody owns or the source did not name."""

_COMMA = re.compile(r",(?=\s*[a-z_]+=)")
"""One before the next dimension; other commas are part of a value."""

_ALIASES: Mapping[str, Dimension] = {"key": "key_id", "tier": "service_tier"}


def parse_dimension(name: str) -> Dimension:
    """The dimension of that name (`key` and `tier` are accepted short forms); raises RefusedError."""
    dimension = _ALIASES.get(name, name)
    if dimension not in DIMENSIONS:
        raise RefusedError(f"unknown dimension `{name}`; known are {', '.join(DIMENSIONS)}")
    return dimension


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """Some dimensions pinned to values, in the order of DIMENSIONS; nothing pinned is everything."""

    items: tuple[tuple[Dimension, str], ...] = ()

    @classmethod
    def of(cls, values: Mapping[Dimension, str] | Iterable[tuple[Dimension, str]]) -> "Scope":
        """Build from a mapping or pairs in any order; a dimension given twice is refused."""
        pairs = list(values.items() if isinstance(values, Mapping) else values)
        pinned = dict(pairs)
        if len(pinned) != len(pairs):
            given = ", ".join(f"{dimension}={value}" for dimension, value in pairs)
            raise RefusedError(f"a dimension is given twice: {given}")
        return cls(tuple((d, pinned[d]) for d in DIMENSIONS if d in pinned))

    @classmethod
    def parse(cls, filters: Iterable[str]) -> "Scope":
        """Build from `dimension=value` texts as the command line takes them."""
        pairs = []
        for text in filters:
            name, separator, value = text.partition("=")
            if not separator or not value:
                raise RefusedError(f"`{text}` is not of the form dimension=value")
            pairs.append((parse_dimension(name.strip()), value))
        return cls.of(pairs)

    @classmethod
    def parse_text(cls, text: str) -> "Scope":
        """Build from `team=search, key_id=k1`, as a scope is printed; `all` or `all spend` is everything."""
        if text.strip() in ("all", str(EVERYTHING)):
            return EVERYTHING
        return cls.parse(part.strip() for part in _COMMA.split(text))

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        return tuple(dimension for dimension, _ in self.items)

    def as_dict(self) -> dict[Dimension, str]:
        return dict(self.items)

    def contains(self, other: "Scope") -> bool:
        """Whether every row of `other` is also a row of this scope, judged by the pinned values alone."""
        theirs = other.as_dict()
        return all(theirs.get(dimension) == value for dimension, value in self.items)

    def narrowed_to(self, part: "Scope") -> "Scope":
        """This scope with everything pinned that `part` pins; where both pin a dimension, `part` says."""
        return Scope.of({**self.as_dict(), **part.as_dict()})

    def with_value(self, dimension: Dimension, value: str) -> "Scope":
        """This scope with one dimension pinned (or pinned anew)."""
        return self.narrowed_to(Scope(((dimension, value),)))

    def __str__(self) -> str:
        return ", ".join(f"{d}={v}" for d, v in self.items) or "all spend"


EVERYTHING = Scope()
"""All spend: the scope that pins nothing."""
