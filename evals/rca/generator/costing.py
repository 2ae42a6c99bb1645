"""What traffic costs: the price book's rates, times the contract where the source bills."""

from datetime import datetime

import numpy as np

from evals.rca.case import Floats, Ints, Mask
from evals.rca.generator.models import rates_pico
from evals.rca.generator.traffic import TOKENS, Traffic
from ledger.scope import DIMENSIONS
from ledger.usage import TOKEN_CLASSES
from ledger.window import HOUR

_MICRO = 10**6
"""Bills are to a millionth of a dollar, which is 1e6 pico-dollars."""
_TARIFF = [DIMENSIONS.index(d) for d in ("provider", "model", "service_tier")]


def cost_pico(traffic: Traffic, billed: Mask, start_at: datetime) -> Ints:
    """Cost by stream and hour; 0 where computed use has no price."""
    listed = _listed_pico(traffic, start_at)
    bill = np.rint(listed * traffic.price_factor / _MICRO) * _MICRO
    return np.where(billed[:, None], bill, listed).astype(np.int64)


def _listed_pico(traffic: Traffic, start_at: datetime) -> Floats:
    """Whole numbers below 2**53, so float arithmetic is exact here."""
    tokens = traffic.counts[TOKENS].astype(np.float64)
    rates = _rates(traffic, start_at)
    return np.asarray(np.einsum("csh,csh->sh", tokens, rates), dtype=np.float64)


def _rates(traffic: Traffic, start_at: datetime) -> Floats:
    """Shape (classes, streams, hours)."""
    days = [(start_at + hour * HOUR).date() for hour in range(traffic.hours)]
    tariffs = [tuple(map(str, row)) for row in traffic.names[:, _TARIFF]]
    known = {tariff: i for i, tariff in enumerate(dict.fromkeys(tariffs))}
    table = np.zeros((len(TOKEN_CLASSES), len(known), traffic.hours))
    for (provider, model, tier), i in known.items():
        for day in dict.fromkeys(days):
            rates = rates_pico(provider, model, tier, day)
            if rates is not None:
                table[:, i, np.array([d == day for d in days])] = rates[:, None]
    return table[:, np.array([known[tariff] for tariff in tariffs], dtype=np.int64)]
