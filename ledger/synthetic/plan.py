"""Who sends what: the workloads of every team, drawn from the seed of the spec and the number of the team."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ledger.synthetic.models import MODELS, ModelFacts
from ledger.synthetic.names import BATCH_FEATURES, CLIENTS, FEATURES, OFFICES, TEAMS, Feature, Office
from ledger.synthetic.shapes import Rhythm
from ledger.synthetic.spec import OrganisationSpec

_MAIN_RHYTHMS: tuple[Rhythm, ...] = ("office", "consumer", "service")
_ODDS = {"nightly": 0.35, "month_start": 0.1, "intermittent": 0.25, "developer": 0.2, "idle": 0.1}
_ODD_WEIGHT = {"nightly": 0.4, "month_start": 0.1, "intermittent": 0.2, "developer": 0.2, "idle": 0.001}
"""Spend of a key of that rhythm, relative to a team's first key."""
_PURPOSE: Mapping[Rhythm, str] = {
    "nightly": "batch",
    "month_start": "reports",
    "developer": "dev",
    "idle": "old",
}


@dataclass(frozen=True, slots=True)
class Workload:
    """One scope that sends traffic all along, and how much of what."""

    facts: ModelFacts
    team: str
    project: str
    key_id: str
    user: str | None
    feature: Feature
    region: str
    service_tier: str
    client: str
    prompt_template: str
    rhythm: Rhythm
    utc_offset_hours: int
    logs_characters: bool
    usd_per_hour: float
    growth_per_week: float


@dataclass(frozen=True, slots=True)
class _Team:
    name: str
    office: Office
    rhythm: Rhythm
    logs_characters: bool
    usd_per_hour: float
    growth_per_week: float


@dataclass(frozen=True, slots=True)
class _Key:
    team: _Team
    key_id: str
    project: str
    user: str | None
    rhythm: Rhythm
    feature: Feature
    facts: ModelFacts
    client: str
    usd_per_hour: float


def plan_workloads(spec: OrganisationSpec) -> tuple[Workload, ...]:
    """Every workload of the organisation, team by team."""
    generators = [np.random.default_rng([spec.seed, index]) for index in range(spec.teams)]
    sizes = np.array([rng.lognormal(0, 0.7) for rng in generators])
    usd_per_hour = spec.usd_per_day / 24 * sizes / sizes.sum()
    return tuple(
        workload
        for index, rng in enumerate(generators)
        for key in _keys(_team(spec, index, float(usd_per_hour[index]), rng), spec, rng)
        for workload in _workloads(key, rng)
    )


def _team(spec: OrganisationSpec, index: int, usd_per_hour: float, rng: np.random.Generator) -> _Team:
    name, round_ = TEAMS[index % len(TEAMS)], index // len(TEAMS)
    return _Team(
        name=f"{name}-{round_ + 1}" if round_ else name,
        office=OFFICES[int(rng.choice(len(OFFICES), p=(0.3, 0.25, 0.25, 0.1, 0.1)))],
        rhythm=_MAIN_RHYTHMS[int(rng.choice(3, p=(0.45, 0.25, 0.3)))],
        logs_characters=bool(rng.random() < spec.characters_share),
        usd_per_hour=usd_per_hour,
        growth_per_week=spec.growth_per_week * float(rng.uniform(0, 2)),
    )


def _keys(team: _Team, spec: OrganisationSpec, rng: np.random.Generator) -> Iterator[_Key]:
    count = max(2, int(rng.poisson(spec.keys_per_team)))
    rhythms = [_key_rhythm(team, position, spec, rng) for position in range(count)]
    weights = np.array([_ODD_WEIGHT.get(rhythm, 1.0) / (1 + 0.5 * i) for i, rhythm in enumerate(rhythms)])
    usd_per_hour = team.usd_per_hour * weights / weights.sum()
    for position, rhythm in enumerate(rhythms):
        yield _key(team, position, rhythm, float(usd_per_hour[position]), rng)


def _key_rhythm(team: _Team, position: int, spec: OrganisationSpec, rng: np.random.Generator) -> Rhythm:
    if position < 2 or rng.random() > spec.odd_keys_share * 1.5:
        return team.rhythm
    odds = np.array([_ODDS[rhythm] for rhythm in spec.odd_rhythms])
    return spec.odd_rhythms[int(rng.choice(len(odds), p=odds / odds.sum()))]


def _key(team: _Team, position: int, rhythm: Rhythm, usd_per_hour: float, rng: np.random.Generator) -> _Key:
    facts = _pick_model(rng)
    features = BATCH_FEATURES if rhythm in ("nightly", "month_start") else FEATURES
    return _Key(
        team=team,
        key_id=f"key-{team.name}-{_PURPOSE.get(rhythm, 'prod')}-{int(rng.integers(16**4)):04x}",
        project=f"{team.name}-{'labs' if rhythm in ('developer', 'intermittent', 'idle') else 'core'}",
        user=f"u-{int(rng.integers(1000, 9999))}" if rhythm in ("developer", "intermittent") else None,
        rhythm=rhythm,
        feature=features[(position + int(rng.integers(len(features)))) % len(features)],
        facts=facts,
        client=CLIENTS[facts.provider][int(rng.choice(2, p=(0.75, 0.25)))],
        usd_per_hour=usd_per_hour,
    )


def _pick_model(rng: np.random.Generator) -> ModelFacts:
    weights = np.array([facts.popularity for facts in MODELS])
    return MODELS[int(rng.choice(len(MODELS), p=weights / weights.sum()))]


def _workloads(key: _Key, rng: np.random.Generator) -> Iterator[Workload]:
    """One workload, or two where the key also serves a second region, now and then with another model."""
    version = int(rng.integers(1, 9))
    second = rng.random() < 0.35 and key.rhythm in _MAIN_RHYTHMS
    share = float(rng.uniform(0.6, 0.85)) if second else 1.0
    regions = [key.team.office.region, "us-east-2"][: 1 + second]
    clients = [key.client, CLIENTS[key.facts.provider][-1]][: 1 + second]
    models = [key.facts, _sibling(key.facts, rng)][: 1 + second]
    for facts, region, client, part in zip(models, regions, clients, (share, 1.0 - share), strict=False):
        yield Workload(
            facts=facts,
            team=key.team.name,
            project=key.project,
            key_id=key.key_id,
            user=key.user,
            feature=key.feature,
            region=region,
            service_tier="batch" if key.feature in BATCH_FEATURES else "standard",
            client=client,
            prompt_template=f"{key.feature.name}@v{version}",
            rhythm=key.rhythm,
            utc_offset_hours=key.team.office.utc_offset_hours,
            logs_characters=key.team.logs_characters,
            usd_per_hour=key.usd_per_hour * part,
            growth_per_week=key.team.growth_per_week,
        )


def _sibling(facts: ModelFacts, rng: np.random.Generator) -> ModelFacts:
    """Another model of the same provider one time in three, else the same."""
    siblings = [other for other in MODELS if other.provider == facts.provider and other.popularity > 0]
    other = siblings[int(rng.integers(len(siblings)))]
    return other if rng.random() < 1 / 3 else facts
