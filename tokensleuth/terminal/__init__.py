"""What people see in a terminal: pure functions from the contract's objects to rich renderables.

Text from data is never read as markup and holds no control characters when it gets here.
"""

from tokensleuth.terminal.baselines import baseline_table, baseline_text
from tokensleuth.terminal.card import incident_card
from tokensleuth.terminal.ingest import ingest_block
from tokensleuth.terminal.live import live_lines, refit_text
from tokensleuth.terminal.simulation import simulation_summary
from tokensleuth.terminal.sparkline import Sparkline
from tokensleuth.terminal.tables import (
    detection_summary,
    incident_table,
    minor_line,
    plain_table,
    proposal_table,
)
from tokensleuth.terminal.unpriced import unpriced_block
from tokensleuth.terminal.waterfall import WaterfallBars

__all__ = [
    "Sparkline",
    "WaterfallBars",
    "baseline_table",
    "baseline_text",
    "detection_summary",
    "incident_card",
    "incident_table",
    "ingest_block",
    "live_lines",
    "minor_line",
    "plain_table",
    "proposal_table",
    "refit_text",
    "simulation_summary",
    "unpriced_block",
]
