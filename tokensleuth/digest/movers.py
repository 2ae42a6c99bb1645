"""The scopes whose spend changed most since last week, and the effects that did it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ledger.scope import Dimension, Scope
from tokensleuth.digest.amounts import cents_of
from tokensleuth.digest.facts import Effect, Mover, Movers, ShowbackRow
from tools.leaves import Ints, Mask
from tools.split import MECHANISMS, Split

MOST_MOVERS = 6
MOST_LEADS = 2
LEAST_SHARE = 0.01
"""Changes of less than this part of all changes, up and down, are told together."""
LEAST_LEAD = 0.05
"""A second effect of less than this part of the change is not told."""


@dataclass(frozen=True, slots=True)
class _Groups:
    """Sums of the leaves of a scope by the values of some dimensions."""

    scopes: tuple[Scope, ...]
    change_pico: Ints


def movers_of(split: Split | None, where: Scope, by: Dimension, showback: Sequence[ShowbackRow]) -> Movers:
    """Largest change first; what is left is told as one. Amounts are those of the showback."""
    if split is None:
        return Movers()
    mask = split.leaves.inside(where)
    found = {scope.items[0][1]: scope for scope in _grouped(split, mask, (by,)).scopes}
    rows = _under_present_names(showback, split.entities.renamed)
    changes = {name: sum(row.change_cents for row in mine) for name, mine in rows.items()}
    order = sorted((n for n in changes if changes[n] and n in found), key=lambda n: (-abs(changes[n]), n))
    least = LEAST_SHARE * sum(abs(change) for change in changes.values())
    shown = [name for name in order[:MOST_MOVERS] if abs(changes[name]) >= least]
    return Movers(
        tuple(_mover(split, mask, found[name], rows[name]) for name in shown),
        others=len(order) - len(shown),
        others_cents=sum(changes.values()) - sum(changes[name] for name in shown),
    )


def _under_present_names(
    showback: Sequence[ShowbackRow], renamed: Mapping[str, str]
) -> dict[str, list[ShowbackRow]]:
    """A key that replaced another counts as that one too."""
    rows: dict[str, list[ShowbackRow]] = {}
    for row in showback:
        rows.setdefault(renamed.get(row.name, row.name), []).append(row)
    return rows


def _mover(split: Split, mask: Mask, scope: Scope, rows: Sequence[ShowbackRow]) -> Mover:
    own = mask & split.leaves.inside(scope)
    change = sum(row.change_cents for row in rows)
    carrier, carrier_pico = _carrier(split, own, up=change > 0)
    former = sorted(row.name for row in rows if row.name != scope.items[0][1])
    return Mover(
        scope=scope,
        was=", ".join(former) or None,
        now_cents=sum(row.cents for row in rows),
        change_cents=change,
        effects=_leads(split.effects_pico[:, own].sum(axis=1), change),
        carrier=carrier,
        carrier_pico=carrier_pico,
    )


def _leads(effects_pico: Ints, change: int) -> tuple[Effect, ...]:
    """Those that go the way of the change, largest first."""
    named = [(name, cents_of(int(pico))) for name, pico in zip(MECHANISMS, effects_pico, strict=True)]
    along = [Effect(name, cents) for name, cents in named if cents and (cents > 0) == (change > 0)]
    along.sort(key=lambda e: -abs(e.cents))
    second = [e for e in along[1:MOST_LEADS] if abs(e.cents) >= LEAST_LEAD * abs(change)]
    return (*along[:1], *second)


def _carrier(split: Split, own: Mask, *, up: bool) -> tuple[Scope | None, int]:
    """The key and model that changed most in the direction of the whole; None where there is only one."""
    found = _grouped(split, own, ("model", "key_id"))
    change = found.change_pico
    if len(change) < 2:
        return None, 0
    at = int(change.argmax() if up else change.argmin())
    return found.scopes[at], int(change[at])


def _grouped(split: Split, mask: Mask, by: Sequence[Dimension]) -> _Groups:
    rows = np.flatnonzero(mask)
    leaves = split.leaves.only(rows)
    groups = leaves.groups(by)
    _, example = np.unique(groups, return_index=True)
    scopes = tuple(Scope.of([(d, leaves.value(d, int(i))) for d in by]) for i in example)
    change = np.zeros(len(scopes), dtype=np.int64)
    np.add.at(change, groups, leaves.change_pico)
    return _Groups(scopes, change)
