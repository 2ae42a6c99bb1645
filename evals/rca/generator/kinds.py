"""The kinds of cases: one cause, several, or none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from evals.rca.generator import arrivals, in_place, moves
from evals.rca.generator.organisation import Rng
from evals.rca.generator.strike import Strike
from evals.rca.generator.world import World
from ledger.scope import Dimension

Draw = Callable[[Rng, World], Strike | None]

SINGLE: Mapping[str, Draw] = {
    "runaway_loop": in_place.draw_runaway_loop,
    "key_surge": in_place.draw_key_surge,
    "group_growth": in_place.draw_group_growth,
    "volume_drop": in_place.draw_volume_drop,
    "retry_storm": in_place.draw_retry_storm,
    "prompt_growth": in_place.draw_prompt_growth,
    "output_growth": in_place.draw_output_growth,
    "cache_collapse": in_place.draw_cache_collapse,
    "price_change": in_place.draw_price_change,
    "model_switch": moves.draw_model_switch,
    "tokenizer_change": moves.draw_tokenizer_change,
    "tier_change": moves.draw_tier_change,
    "new_workload": arrivals.draw_new_workload,
    "key_leak": arrivals.draw_key_leak,
    "backfill": arrivals.draw_backfill,
    "unpriced": moves.draw_unpriced,
    "counted_twice": arrivals.draw_counted_twice,
}
_RISES = ("key_surge", "group_growth", "prompt_growth", "output_growth", "cache_collapse", "retry_storm")
_COMBINED = (
    *_RISES,
    "runaway_loop",
    "model_switch",
    "new_workload",
    "key_leak",
    "price_change",
    "volume_drop",
)


@dataclass(frozen=True, slots=True)
class Kind:
    """Which causes a case has, drawn one after the other."""

    name: str
    parts: tuple[tuple[str, ...], ...]
    """For each cause the names it is drawn from."""
    overlap: bool = False
    """Whether the causes may share rows."""
    grows: bool = False
    """Whether everything grows, by nobody's doing."""
    needs: tuple[Dimension, ...] = ()
    billed: bool | None = None
    """Whether all sources must bill, or none may; None for any."""
    shared_model: bool = False
    """Whether several keys must be on a model that has a successor."""


_NEEDS: Mapping[str, tuple[Dimension, ...]] = {
    "tier_change": ("service_tier",),
    "backfill": ("service_tier",),
    "key_leak": ("region", "client"),
}
_BILLED = {"price_change": True, "unpriced": False}

KINDS: Mapping[str, Kind] = {
    **{
        name: Kind(
            name,
            ((name,),),
            needs=_NEEDS.get(name, ()),
            billed=_BILLED.get(name),
            shared_model=name == "tokenizer_change",
        )
        for name in SINGLE
    },
    "organic": Kind("organic", (), grows=True),
    "quiet": Kind("quiet", ()),
    "two_causes": Kind("two_causes", (_COMBINED, _COMBINED)),
    "price_and_surge": Kind(
        "price_and_surge", (("key_surge", "runaway_loop"), ("price_change",)), overlap=True, billed=True
    ),
    "up_and_down": Kind("up_and_down", (_RISES, ("volume_drop",))),
}
