"""The tool that names the scopes which carry a change: one slice per mechanism, peeled one by one."""

from dataclasses import dataclass, replace

import numpy as np

from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from ledger.window import Window
from tools.answer import OTHER, Row, Scalar, ToolAnswer, answer, asked, share, usd
from tools.comparison import MOVABLE, compare_with
from tools.leaves import GRAIN, Pico
from tools.shapley import Floats
from tools.slices import Slice, best_slice, deepened
from tools.split import MECHANISMS, Mechanism, Split, split_change

MATERIAL = 0.05
"""A slice under this share of everything that moved is left out."""
MIN_SPREADS = 5.0
"""Volume must move by so many of the slice's own week-to-week spreads: there are dozens of keys, so a few
always stray (the reference asks for 6.5, with more weeks)."""
SAME_LEAVES = 0.6
"""Two slices that share this much of what moved are one finding."""
PER_MECHANISM = 3


MOVES: frozenset[Mechanism] = frozenset({"model_mix", "tier_mix"})
"""Effects with two ends: what one model or tier lost, another gained."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """Leaves that moved together, and what moved them."""

    slice: Slice
    lead: Mechanism
    effects_pico: dict[Mechanism, int]

    @property
    def delta_pico(self) -> int:
        return sum(self.effects_pico.values())

    @property
    def scope(self) -> Scope:
        return self.slice.scope


def suspects(reader: Reader, window: Window, *, where: Scope = EVERYTHING, limit: int = 5) -> ToolAnswer:
    """Name the scopes that carry the change in cost, largest first, and the effect that leads in each.

    Compares with the same hours of the week in up to 4 earlier weeks. Each row: the scope, the leading
    effect, the dollars of it, and every other effect in the same leaves. A scope that only repeats the
    question means that the change is broad.
    """
    compared = compare_with(reader, window)
    split = split_change(reader, compared, where)
    found = find_suspects(split)
    rows = [_row(s, where, split) for s in found[:limit]]
    rest = sum(s.delta_pico for s in found[limit:])
    if found[limit:]:
        rows.append({"scope": OTHER, "usd": usd(rest)})
    change = sum(split.leaves.change_pico.tolist())
    facts: dict[str, Scalar] = {
        "suspects": len(found),
        "change_usd": usd(change),
        "carried_share": share(sum(s.delta_pico for s in found), change),
    }
    return answer(
        "suspects",
        asked(window, where, limit=limit),
        compared,
        where,
        rows=rows,
        facts=facts,
        found=bool(split.leaves.values),
    )


def find_suspects(split: Split) -> list[Suspect]:
    """Slices of every mechanism in both directions, merged where they are the same leaves."""
    gross = float(sum(np.abs(_netted(split, m)).sum() for m in MECHANISMS))
    found: list[Suspect] = []
    for mechanism in MECHANISMS:
        for sign in (-1, 1):
            found += _peeled(split, mechanism, sign, gross)
    return sorted(_merged(found, split), key=lambda s: (-abs(s.delta_pico), str(s.scope)))


def _peeled(split: Split, mechanism: Mechanism, sign: int, gross: float) -> list[Suspect]:
    """The best slices of one mechanism in one direction, each taken off before the next is sought."""
    effect = _netted(split, mechanism)
    dimensions = tuple(d for d in GRAIN if mechanism not in MOVES or d not in MOVABLE)
    among = np.ones(len(effect), dtype=bool)
    found: list[Suspect] = []
    for _ in range(PER_MECHANISM):
        one_sided = np.where(np.sign(effect) == sign, effect, 0.0) * among
        if abs(float(one_sided.sum())) < max(MATERIAL * gross, 1.0):
            break
        best = best_slice(split.leaves, one_sided, among, dimensions=dimensions)
        amount = sum(split.effect(mechanism)[best.leaves].tolist())
        if sign * amount >= MATERIAL * gross and _significant(split, mechanism, best, amount):
            named = deepened(split.leaves, best, effect)
            amount = sum(split.effect(mechanism)[named.leaves].tolist())
            found.append(Suspect(named, mechanism, {mechanism: amount}))
        among = among & ~best.leaves
    return found


def _netted(split: Split, mechanism: Mechanism) -> Floats:
    """The effect by leaf; moves as what both their ends come to, spread over the leaves they touch."""
    effect = split.effect(mechanism).astype(np.float64)
    if mechanism not in MOVES:
        return effect
    columns = [split.leaves.column(d) for d in ("team", "project", "key_id", "feature")]
    places = np.unique(["\x1f".join(v) for v in zip(*columns, strict=True)], return_inverse=True)[1]
    net, size = np.bincount(places, effect), np.bincount(places, np.abs(effect))
    part = np.divide(np.abs(effect), size[places], out=np.zeros_like(effect), where=size[places] > 0)
    return np.asarray(net[places] * part)


def _significant(split: Split, mechanism: Mechanism, found: Slice, amount: int) -> bool:
    """Whether volume moved by more than the slice does from week to week; other effects are exact."""
    weekly = split.leaves.weekly_pico[:, found.leaves].astype(np.float64).sum(axis=1)
    if mechanism not in ("volume", "retries") or len(weekly) < 2:
        return True
    spread = max(float(weekly.std(ddof=1)), 0.05 * float(weekly.mean()))
    return abs(amount) >= MIN_SPREADS * spread


def _merged(found: list[Suspect], split: Split) -> list[Suspect]:
    """Join suspects on the same leaves into the largest of them."""
    kept: list[Suspect] = []
    for suspect in sorted(found, key=lambda s: -abs(s.delta_pico)):
        i = next((i for i, k in enumerate(kept) if _overlap(k, suspect, split) >= SAME_LEAVES), None)
        if i is None:
            kept.append(suspect)
        else:
            both = dict(kept[i].effects_pico)
            for name, pico in suspect.effects_pico.items():
                both[name] = both.get(name, 0) + pico
            kept[i] = replace(kept[i], effects_pico=both)
    return kept


def _overlap(one: Suspect, other: Suspect, split: Split) -> float:
    """How much of what moved in the two lies in both."""
    size: Pico = np.abs(split.effects_pico).sum(axis=0)
    both = size[one.slice.leaves & other.slice.leaves].sum()
    either = size[one.slice.leaves | other.slice.leaves].sum()
    return float(both / either) if either else 0.0


def _row(suspect: Suspect, where: Scope, split: Split) -> Row:
    gross = sum(abs(p) for p in suspect.effects_pico.values())
    before = sum(split.leaves.before.cost_pico[suspect.slice.leaves].tolist())
    after = sum(split.leaves.after.cost_pico[suspect.slice.leaves].tolist())
    return {
        "scope": dict(where.narrowed_to(suspect.scope).items),
        "lead": suspect.lead,
        "usd": usd(suspect.delta_pico),
        "leaves": int(suspect.slice.leaves.sum()),
        "baseline_usd": usd(before),
        "actual_usd": usd(after),
        **{f"share_{name}": share(p, gross) for name, p in suspect.effects_pico.items()},
    }
