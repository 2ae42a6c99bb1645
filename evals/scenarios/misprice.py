"""A wrong entry in the operator's own price book: the same use, other dollars."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

import pandas as pd

from ledger.prices.overrides import PriceOverride
from ledger.scope import Scope
from ledger.synthetic.causes import Cause, CauseName, Site
from ledger.synthetic.cost import priced_usd
from ledger.synthetic.models import BY_MODEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Mispriced(Cause):
    """From a midnight on the book has the model's output `magnitude` times as dear, or all of it cheaper.

    `change` writes the wrong cost into the rows, so that what it makes is known; where the ledger computes
    the cost, it must be taken out again. Output has a price of its own at the standard tier only.
    """

    name: ClassVar[CauseName] = "accounting_artifact"

    @property
    def culprit(self) -> Scope:
        return Scope((("model", self.model),))

    @property
    def model(self) -> str:
        return self.target.as_dict()["model"]

    @property
    def override(self) -> PriceOverride:
        """The `[[price_override]]` table: a slipped decimal above 1, a discount nobody gave below."""
        dearer = self.magnitude > 1
        value = BY_MODEL[self.model].output * self.magnitude if dearer else 100 * (1 - self.magnitude)
        return PriceOverride(
            model=self.model,
            token_class="output" if dearer else "*",
            kind="usd_per_mtok" if dearer else "percent_off",
            value=Decimal(f"{value:.4f}"),
            valid_from=self.window.start_at.date(),
            source="contract of the year",
        )

    def change(self, site: Site) -> pd.DataFrame:
        cost = priced_usd(site.rows)
        if self.magnitude <= 1:
            return site.rows.assign(cost_usd=(cost * self.magnitude).round(6))
        output = site.rows["output_tokens"] * BY_MODEL[self.model].output / 1e6
        dearer = output.where(site.rows["service_tier"] == "standard", 0.0) * (self.magnitude - 1)
        return site.rows.assign(cost_usd=(cost + dearer).round(6))
