"""Who spends: teams with projects, keys of very different sizes, and the streams each key sends."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from evals.rca.case import Floats, Names
from evals.rca.generator.models import BY_NAME, MODELS
from ledger.scope import DIMENSIONS, UNALLOCATED, Dimension

Rng = np.random.Generator

TEAMS = ("search", "support", "growth", "risk", "docs", "platform", "sales", "legal", "ads", "mobile")
FEATURES = (
    "chat", "summarise", "rerank", "classify", "extract", "translate", "codegen", "triage", "draft", "qa",
    "tagging", "insights",
)  # fmt: skip
CLIENTS = ("python-sdk/1.41", "node-sdk/3.2", "litellm/1.55", "langchain/0.3", "go-sdk/0.9", "gateway/7")
REGIONS = ("us-east-1", "eu-west-1", "us-west-2", "ap-south-1", "eu-central-1")
BATCH_KEYS = 0.22


@dataclass(frozen=True, slots=True)
class Key:
    """One key, what it may be used for, and its share of spend."""

    team: str
    project: str
    key_id: str
    models: tuple[str, ...]
    features: tuple[str, ...]
    regions: tuple[str, ...]
    clients: tuple[str, ...]
    users: tuple[str, ...]
    tiers: tuple[str, ...]
    share: float
    shape: str
    utc_offset: int


@dataclass(frozen=True, slots=True)
class Organisation:
    """The streams of an organisation on an ordinary day; arrays have shape (streams,)."""

    keys: tuple[Key, ...]
    names: Names
    key_of: tuple[int, ...]
    share: Floats
    """Of all spend."""
    informative: tuple[Dimension, ...]


def draw_organisation(
    rng: Rng, streams: int, informative: Sequence[Dimension], *, shared_model: str | None, sharers: int = 0
) -> Organisation:
    """About as many streams as asked; `shared_model` is used by at least `sharers` keys of several teams."""
    keys = _draw_keys(rng, count=_key_count(rng, streams, len(informative)))
    if shared_model:
        keys = _with_model(rng, keys, shared_model, sharers)
    rows: list[tuple[str, ...]] = []
    key_of: list[int] = []
    shares: list[float] = []
    for position, key in enumerate(keys):
        wanted = max(1, round(streams * (0.4 * key.share + 0.6 / len(keys)) * 1.5))
        mine = _key_streams(rng, key, wanted, informative)
        rows += mine
        key_of += [position] * len(mine)
        shares += list(key.share * rng.dirichlet(np.full(len(mine), 0.9)))
    return Organisation(
        tuple(keys), np.array(rows, dtype=object), tuple(key_of), np.array(shares), tuple(informative)
    )


def _key_count(rng: Rng, streams: int, dimensions: int) -> int:
    """Keys have fewer distinct scopes where less is recorded."""
    return max(12, round(streams / float(rng.uniform(9, 16)) * (1 + 0.4 * (len(DIMENSIONS) - dimensions))))


def _draw_keys(rng: Rng, count: int) -> list[Key]:
    teams = list(rng.permutation(TEAMS)[: int(rng.integers(4, 10))])
    features = list(rng.permutation(FEATURES)[: int(rng.integers(6, 12))])
    clients = list(rng.permutation(CLIENTS)[: int(rng.integers(3, 6))])
    regions = list(rng.permutation(REGIONS)[: int(rng.integers(2, 5))])
    ranks = rng.permutation(count) + 1
    sizes = ranks ** -rng.uniform(0.6, 1.1) * rng.lognormal(0, 0.3, count)
    sizes /= sizes.sum()
    return [
        _draw_key(rng, i, str(rng.choice(teams)), (features, clients, regions), float(sizes[i]))
        for i in range(count)
    ]


def _draw_key(rng: Rng, number: int, team: str, pools: tuple[list[str], ...], share: float) -> Key:
    features, clients, regions = pools
    batch = rng.random() < BATCH_KEYS
    own = "key-" + "".join(rng.choice(list("0123456789abcdef"), 6))
    return Key(
        team=team,
        project=f"{team}-{rng.choice(['prod', 'lab', 'core', 'web'])}",
        key_id=f"{own}{number:02d}",
        models=_draw_models(rng, int(rng.choice([1, 2, 3], p=[0.4, 0.4, 0.2]))),
        features=_some(rng, features, 3),
        regions=_some(rng, regions, 2),
        clients=_some(rng, clients, 2),
        users=tuple(f"{team}-svc{n}" for n in _some(rng, ["1", "2", "3", "4"], 3)),
        tiers=(("batch",) if rng.random() < 0.5 else ("batch", "standard")) if batch else ("standard",),
        share=share,
        shape=str(rng.choice(["office", "office", "evening", "flat", "night"])),
        utc_offset=int(rng.choice([-8, -5, 0, 1, 1, 5])),
    )


def _draw_models(rng: Rng, count: int) -> tuple[str, ...]:
    popularity = np.array([model.popularity for model in MODELS])
    names = [model.name for model in MODELS]
    return tuple(map(str, rng.choice(names, count, replace=False, p=popularity / popularity.sum())))


def _some(rng: Rng, pool: Sequence[str], most: int) -> tuple[str, ...]:
    count = int(rng.integers(1, most + 1))
    return tuple(map(str, rng.permutation(list(pool))[:count]))


def _with_model(rng: Rng, keys: list[Key], model: str, sharers: int) -> list[Key]:
    """Give the model to the keys of middling size, whatever their team."""
    by_size = sorted(range(len(keys)), key=lambda i: -keys[i].share)
    chosen = set(map(int, rng.permutation(by_size[2 : 2 + 2 * sharers])[:sharers]))
    found = []
    for position, key in enumerate(keys):
        others = tuple(m for m in key.models if m != model)
        models = (model, *others[:1]) if position in chosen else others or ("gpt-4o-mini",)
        found.append(_replaced(key, models, standard=position in chosen))
    return found


def _replaced(key: Key, models: tuple[str, ...], *, standard: bool) -> Key:
    values = {name: getattr(key, name) for name in Key.__slots__}
    tiers = ("standard",) if standard else key.tiers
    return Key(**{**values, "models": models, "tiers": tiers})


def _key_streams(rng: Rng, key: Key, wanted: int, informative: Sequence[Dimension]) -> list[tuple[str, ...]]:
    """Distinct scopes of a key; what is not informative is left out of them."""
    every = product(
        key.models, (key.team,), (key.project,), (key.key_id,), key.users, key.features, key.regions,
        key.tiers, key.clients,
    )  # fmt: skip
    full = [(BY_NAME[one[0]].provider, *one) for one in every]
    kept = [
        tuple(v if d in informative else UNALLOCATED for d, v in zip(DIMENSIONS, one, strict=True))
        for one in full
    ]
    distinct = list(dict.fromkeys(kept))
    picked = rng.permutation(len(distinct))[:wanted]
    return [distinct[i] for i in sorted(picked)]
