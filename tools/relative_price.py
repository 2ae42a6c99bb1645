"""What one model costs against another, or against itself at another time, for the same tokens."""

from collections.abc import Mapping

from ledger.reader import Reader
from ledger.scope import EVERYTHING, Dimension, Scope
from ledger.usage import Measures
from ledger.window import Window
from tools.answer import added
from tools.unit_prices import ModelTier, class_rates, listed_cost

MODEL_TIER: tuple[Dimension, ...] = ("provider", "model", "service_tier")
Table = Mapping[ModelTier, Measures]


def price_between(
    reader: Reader, old: tuple[str, Window], new: tuple[str, Window], *, where: Scope = EVERYTHING
) -> float | None:
    """Cost per token of the second model in its window over that of the first in its, class for class.

    The tokens of both are valued at the rates of the first, so that another mix of classes is no price.
    None where either had no priced usage.
    """
    sides = [_standard(reader, *side, where) for side in (old, new)]
    if any(not cost_of(side) for side in sides):
        return None
    rates = class_rates(reader, [old[1]])
    known = next((r for (_, model, _), r in sorted(rates.items()) if model == old[0]), None)
    listed = [listed_cost(side.tokens, known) for side in sides]
    if not all(listed):
        return None
    return round((cost_of(sides[1]) / listed[1]) / (cost_of(sides[0]) / listed[0]), 4)


def cost_of(measures: Measures) -> int:
    """Cost where all tokens have a price, else 0: what is unpriced would look cheap."""
    return 0 if measures.unpriced_tokens else measures.cost_pico


def _standard(reader: Reader, model: str, window: Window, where: Scope) -> Measures:
    """Usage of the model in the tier it was used most in."""
    table = reader.totals([window], by=("model", "service_tier"), where=where)
    found = [m for s, m in sorted(table.items()) if s.as_dict()["model"] == model]
    return added([max(found, key=lambda m: m.tokens.total)]) if found else Measures()
