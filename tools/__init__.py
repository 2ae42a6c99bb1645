"""What the agent may call: read-only, typed, bounded questions to the ledger and the analyses behind them."""

from tools.breakdown import breakdown
from tools.changes import changes
from tools.compare import compare
from tools.effects import effects
from tools.key_activity import key_activity
from tools.mix import mix
from tools.peaks import peaks
from tools.price_changes import price_changes
from tools.simulate import simulate
from tools.slices import slices
from tools.switchers import switchers

TOOLS = (
    breakdown, changes, compare, effects, slices, switchers, key_activity, price_changes, mix, peaks,
    simulate,
)  # fmt: skip

__all__ = [
    "TOOLS",
    "breakdown",
    "changes",
    "compare",
    "effects",
    "key_activity",
    "mix",
    "peaks",
    "price_changes",
    "simulate",
    "slices",
    "switchers",
]
