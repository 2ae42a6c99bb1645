"""Puts a case together: an organisation, its ordinary weeks, nuisances, causes, and the truth about them."""

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from evals.rca.case import Case, Traits, Truth
from evals.rca.generator.draw_world import Demand, Size, draw_noise, draw_world
from evals.rca.generator.in_place import grown_everywhere
from evals.rca.generator.kinds import KINDS, Kind
from evals.rca.generator.leaf_table import leaf_table, masks_of, merged_rows
from evals.rca.generator.models import SUCCESSORS
from evals.rca.generator.moves import switch_version, users_of
from evals.rca.generator.nuisances import with_nuisances
from evals.rca.generator.organisation import Rng
from evals.rca.generator.striking import Struck, strike, with_strike
from evals.rca.generator.world import World
from ledger.window import Window

TRIES = 60
LEAST_SWITCHED = 0.1
"""Share of spend on the model that a measured switch leaves."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A case of the tokenizer sweep: so many keys go to the next version, with so many tokens for one."""

    seed: int
    number: int
    ratio: float
    switchers: int

    @property
    def kind(self) -> str:
        return f"switch x{self.ratio:g} on {self.switchers} keys"


def generate_case(seed: int, kind: str, number: int = 0, size: Size | None = None) -> Case:
    """The same arguments give the same case, to the last token."""
    for attempt in range(TRIES):
        rng = np.random.default_rng([seed, crc32(kind.encode()), number, attempt])
        made = _try_case(rng, f"{kind}-{seed}-{number}", KINDS[kind], size or Size())
        if made is not None:
            return made
    raise RuntimeError(f"no organisation in {TRIES} has room for {kind}, seed {seed}, number {number}")


def generate_switch(switch: Switch) -> Case:
    """All keys on a model go to its successor; a ratio of 1 changes nothing and blames nobody."""
    for attempt in range(TRIES):
        rng = np.random.default_rng([switch.seed, switch.switchers, switch.number, attempt])
        model = str(rng.choice(list(SUCCESSORS)))
        demand = Demand(shared_model=model, sharers=switch.switchers)
        world = with_nuisances(rng, draw_world(rng, demand, Size(), noise=1.0))
        if (
            world.window_usd[world.window.column("model") == model].sum()
            >= LEAST_SWITCHED * world.window_usd.sum()
        ):
            return _switched(world, model, switch)
    raise RuntimeError(f"no organisation in {TRIES} has {switch.switchers} keys of weight on one model")


def _switched(world: World, model: str, switch: Switch) -> Case:
    at_work = np.ones(world.window.hours, dtype=bool)
    one = switch_version(world, model, users_of(world, model), switch.ratio, at_work)
    struck = with_strike(Struck(world, (), (), world.total_usd(world.window)), one)
    if switch.ratio == 1:
        struck = Struck(struck.world, (), (), struck.without_usd)
    return assemble(f"{switch.kind}-{switch.seed}-{switch.number}", switch.kind, 1.0, world, struck)


def _try_case(rng: Rng, name: str, kind: Kind, size: Size) -> Case | None:
    noise = draw_noise(rng, size)
    shared = str(rng.choice(list(SUCCESSORS))) if kind.shared_model else None
    demand = Demand(kind.needs, kind.billed, shared, sharers=int(rng.integers(4, 13)))
    world = with_nuisances(rng, draw_world(rng, demand, size, noise))
    if kind.grows:
        world = world.with_window(grown_everywhere(rng, world))
    struck = strike(rng, world, kind)
    return None if struck is None else assemble(name, kind.name, noise, world, struck)


def assemble(name: str, kind: str, noise: float, world: World, struck: Struck) -> Case:
    """The case as methods get it, with the truth in masks over its leaves."""
    table = leaf_table(struck.world, world)
    truths = tuple(
        Truth(
            causes=one.causes,
            accepted=tuple(masks_of(table, marked) for marked in one.marked),
            delta_usd=delta,
            scope=one.scope,
            text=one.text,
        )
        for one, delta in zip(struck.strikes, struck.delta_usd, strict=True)
    )
    smallest = min((abs(truth.delta_usd) for truth in truths), default=0.0)
    traits = Traits(
        kind=kind,
        noise=noise,
        dimensions=len(world.informative),
        leaves=len(table.names),
        depth=max((truth.depth for truth in truths), default=0),
        characters=world.logs_characters,
        billed=bool(world.billed_providers),
        window_hours=world.span.hours,
        share=smallest / struck.without_usd,
    )
    history = Window(world.history_start, world.span.start_at)
    rows = merged_rows(struck.world)
    return Case(name, traits, world.span, history, rows, table, truths, world.nuisances)
