"""What the agent may call: read-only, typed, bounded questions to the ledger and the analyses behind them."""

from tools.breakdown import breakdown
from tools.changes import changes
from tools.compare import compare
from tools.earlier_weeks import earlier_weeks
from tools.effects import effects
from tools.hourly_series import hourly_series
from tools.key_activity import key_activity
from tools.mix import mix
from tools.onset import onset
from tools.past_incidents import past_incidents
from tools.peaks import peaks
from tools.price_changes import price_changes
from tools.simulate import simulate
from tools.slices import slices
from tools.switchers import switchers

TOOLS = (
    breakdown, changes, compare, effects, slices, switchers, key_activity, price_changes, mix, peaks,
    simulate, hourly_series, earlier_weeks, onset, past_incidents,
)  # fmt: skip
"""All take a `Reader` first but `past_incidents`, which takes a `History`."""

__all__ = [
    "TOOLS",
    "breakdown",
    "changes",
    "compare",
    "earlier_weeks",
    "effects",
    "hourly_series",
    "key_activity",
    "mix",
    "onset",
    "past_incidents",
    "peaks",
    "price_changes",
    "simulate",
    "slices",
    "switchers",
]
