"""What a window's billing is made of: lines of money by kind, pools of credits, commitments."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, get_args

from ledger.window import Window

BillingKind = Literal["tokens", "credits", "resource_units", "seats", "commitments", "promo", "other"]
BILLING_KINDS: tuple[BillingKind, ...] = get_args(BillingKind)


@dataclass(frozen=True, slots=True)
class BillingLine:
    """One kind of billing at one provider for one team; money is in 1e-12 USD and adds up over lines."""

    kind: BillingKind
    provider: str
    team: str
    billed_pico: int
    effective_pico: int
    in_usage_pico: int
    """The part of the effective cost that `Reader.totals` has already; the rest is beside it."""
    tokens: int
    """Tokens of usage, and those of daily bills that do not say their class or hour."""

    @property
    def beside_usage_pico(self) -> int:
        """Effective cost to be added to the cost of usage: nothing of it is counted there."""
        return self.effective_pico - self.in_usage_pico


@dataclass(frozen=True, slots=True)
class BillingSum:
    """Several lines together, in 1e-12 USD and tokens."""

    billed_pico: int
    effective_pico: int
    in_usage_pico: int
    tokens: int

    @property
    def beside_usage_pico(self) -> int:
        return self.effective_pico - self.in_usage_pico


def summed(lines: Iterable[BillingLine]) -> BillingSum:
    every = list(lines)
    return BillingSum(
        sum(line.billed_pico for line in every),
        sum(line.effective_pico for line in every),
        sum(line.in_usage_pico for line in every),
        sum(line.tokens for line in every),
    )


@dataclass(frozen=True, slots=True)
class CreditPool:
    """One virtual currency at one provider in one month, up to the end of the window."""

    provider: str
    currency: str
    month: datetime
    granted: Decimal | None
    """Credits that seats and purchases brought; None where no bill says."""
    drawn: Decimal
    """All credits used, those beyond the pool included."""
    overage: Decimal
    """Credits used that were billed in money."""
    overage_billed_pico: int
    effective_pico: int

    @property
    def from_pool(self) -> Decimal:
        return self.drawn - self.overage

    @property
    def remaining(self) -> Decimal | None:
        """Of what was granted, never below zero: a pool that gave more was granted more than bills say."""
        return None if self.granted is None else max(self.granted - self.from_pool, Decimal(0))

    @property
    def used_share(self) -> float | None:
        """Of what was granted; None where that is unknown."""
        return float(self.from_pool / self.granted) if self.granted else None


@dataclass(frozen=True, slots=True)
class Commitment:
    """Provisioned throughput or another commitment, over the window; quantities are in its own unit."""

    provider: str
    commitment_id: str
    name: str
    unit: str
    purchased_billed_pico: int
    purchased: Decimal | None
    """Bought in the window; None where no purchase begins in it."""
    used: Decimal
    unused: Decimal
    used_pico: int
    """Amortised money, counted as effective cost."""
    unused_pico: int
    """Paid for and not used: waste."""

    @property
    def utilisation(self) -> float | None:
        """Used of used and unused; None where bills say neither."""
        covered = self.used + self.unused
        return float(self.used / covered) if covered else None


@dataclass(frozen=True, slots=True)
class BillingSummary:
    """The billing of a window. The sums of `lines` are those of all rows of the ledger: none counts twice."""

    window: Window
    lines: Sequence[BillingLine]
    pools: Sequence[CreditPool]
    commitments: Sequence[Commitment]
    warnings: Sequence[str]
    """What may be counted twice because bills or sources tell it twice; as far as the ledger can see."""

    @property
    def billed_pico(self) -> int:
        return sum(line.billed_pico for line in self.lines)

    @property
    def effective_pico(self) -> int:
        return sum(line.effective_pico for line in self.lines)

    @property
    def beside_usage_pico(self) -> int:
        """To be added to the cost of usage for the effective cost of everything."""
        return sum(line.beside_usage_pico for line in self.lines)

    @property
    def by_kind(self) -> dict[BillingKind, BillingSum]:
        """The kinds that occur, in the order of BILLING_KINDS."""
        found = {kind: [line for line in self.lines if line.kind == kind] for kind in BILLING_KINDS}
        return {kind: summed(lines) for kind, lines in found.items() if lines}

    @property
    def by_provider(self) -> dict[str, BillingSum]:
        names = sorted({line.provider for line in self.lines})
        return {name: summed([x for x in self.lines if x.provider == name]) for name in names}

    @property
    def by_team(self) -> dict[str, BillingSum]:
        names = sorted({line.team for line in self.lines})
        return {name: summed([x for x in self.lines if x.team == name]) for name in names}
