"""The tool that names the scopes which carry a change, and the mechanism that leads in each."""

import numpy as np

from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from ledger.window import Window
from tools.answer import OTHER, Row, Scalar, ToolAnswer, answer, asked, ratio, share, usd
from tools.drivers import driver_facts
from tools.search import Suspect, find_suspects
from tools.study import Study, study_change

MANY_SPREADS = 999.0


def slices(reader: Reader, window: Window, *, where: Scope = EVERYTHING, limit: int = 6) -> ToolAnswer:
    """Name the scopes that carry a change in cost, across all dimensions at once, and the effect that leads
    in each.

    Rows, largest first: `scope`, `lead` (effect), `usd` (change), `baseline_usd` (mean of the same hours in
    up to 4 earlier weeks, else days), `actual_usd`, `spreads` (ordinary week-to-week spreads it moved),
    `of_spend` (change over all usual spend), `share_<effect>`, `keys`, `leaves`; per request against before
    `<driver>_ratio`, `<driver>_rise`; `stranger` 1: new region or client on a known key, whose known ones did
    `old_origin_ratio`; `new_scope` 1: only new keys; `whole_model` 1: a model everywhere; `requests_unknown`
    1: a source counts none, so nothing is told per request. `(other)` sums up the rest. Facts: `slices`,
    `change_usd`, `carried_share`, `leaves`. A row that repeats the question: the change is broad. `no_data`:
    no usage now or before.
    """
    return slices_of(study_change(reader, window, where), limit=limit)


def slices_of(study: Study, *, limit: int = 6) -> ToolAnswer:
    """The answer of `slices` about a change that was studied already."""
    found = find_suspects(study)
    rows = [_row(s, study) for s in found[:limit]]
    if found[limit:]:
        rows.append({"scope": OTHER, "usd": usd(sum(s.delta_pico for s in found[limit:]))})
    change = sum(study.split.leaves.change_pico.tolist())
    facts: dict[str, Scalar] = {
        "slices": len(found),
        "change_usd": usd(change),
        "carried_share": share(sum(s.delta_pico for s in found), change),
        "leaves": len(study.split.leaves),
    }
    return answer(
        "slices",
        asked(study.compared.window, study.where, limit=limit),
        study.compared,
        study.where,
        rows=rows,
        facts=facts,
        found=len(study.split.leaves) > 0,
    )


def _row(suspect: Suspect, study: Study) -> Row:
    leaves, mask = study.split.leaves, suspect.slice.leaves
    gross = sum(abs(p) for p in suspect.effects_pico.values())
    known = suspect.known_ratio
    drivers = driver_facts(leaves, mask)
    return {
        "scope": dict(study.where.narrowed_to(suspect.scope).items),
        "lead": suspect.lead,
        "usd": usd(suspect.delta_pico),
        "leaves": int(mask.sum()),
        "baseline_usd": usd(sum(leaves.before.cost_pico[mask].tolist())),
        "actual_usd": usd(sum(leaves.after.cost_pico[mask].tolist())),
        "spreads": round(min(suspect.spreads, MANY_SPREADS), 2) if np.isfinite(suspect.spreads) else None,
        "of_spend": ratio(abs(suspect.delta_pico), float(leaves.before.cost_pico.sum())),
        "stranger": int(known is not None),
        "whole_model": int(set(suspect.scope.dimensions) in ({"model"}, {"provider", "model"})),
        "old_origin_ratio": None if known is None else round(known, 4),
        "new_scope": int(_all_new(suspect, study)),
        **{name: value for name, value in drivers.items() if value is not None},
        **{f"share_{name}": share(p, gross) for name, p in suspect.effects_pico.items()},
    }


def _all_new(suspect: Suspect, study: Study) -> bool:
    """Whether every key of the slice is new."""
    keys = study.split.leaves.code("key_id")[suspect.slice.leaves & (study.split.leaves.after.activity > 0)]
    return bool(keys.size and np.isin(keys, study.split.entities.new["key_id"]).all())
