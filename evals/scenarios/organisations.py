"""Organisations of several sizes, with and without bills."""

from dataclasses import replace

from evals.scenarios.places import END_AT
from ledger.synthetic.spec import OrganisationSpec

BASE = OrganisationSpec(teams=10, weeks=5, end_at=END_AT, usd_per_day=4000)
LARGE = replace(BASE, teams=24, usd_per_day=9000)
SMALL = replace(BASE, teams=5, weeks=4, usd_per_day=900)
WIDE = replace(BASE, teams=40, weeks=4, usd_per_day=22_000, noise=0.12)
NOISY = replace(BASE, teams=12, usd_per_day=6000, noise=0.18)
BILLED = replace(
    BASE, billed_providers=("openai", "anthropic", "google"), billed_discount=0.12, record_ids=True
)
GROWING = replace(BASE, growth_per_week=0.06)
BURSTY = replace(BASE, odd_keys_share=0.6, odd_rhythms=("intermittent", "developer"))


def seeded(seed: int, base: OrganisationSpec = BASE) -> OrganisationSpec:
    return replace(base, seed=seed)
