"""What a digest tells, as values: every number of it is here, and nothing else computes one."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from ledger.bills import BillingKind, Commitment, CreditPool
from ledger.scope import Scope
from ledger.usage import TokenCounts
from tokensleuth.budgets.evaluation import BudgetStatus
from tokensleuth.budgets.outlook import Outlook
from tokensleuth.digest.case_facts import CaseFacts
from tokensleuth.digest.week import KnownWeek
from tools.split import EffectName


@dataclass(frozen=True, slots=True)
class Used:
    """What a scope did in the hours of a week that are known; money in 1e-12 USD."""

    cost_pico: int = 0
    requests: int = 0
    failed: int = 0
    retried: int = 0
    tokens: TokenCounts = field(default_factory=TokenCounts)
    unpriced_tokens: int = 0
    wasted_pico: int = 0
    """The part of the cost of each scope that is in proportion to its failed or retried requests."""
    batch_pico: int = 0
    """Cost at the service tiers for work without hurry: batch and flex."""

    @property
    def cached_share(self) -> float | None:
        """Of the tokens sent, those read from a cache; None where nothing was sent."""
        return self.tokens.cache_read / self.tokens.prompt if self.tokens.prompt else None


@dataclass(frozen=True, slots=True)
class Effect:
    """A part of the change, in cents."""

    name: EffectName
    cents: int


@dataclass(frozen=True, slots=True)
class Spend:
    """This week and the same hours of the last one, as amounts that add up."""

    now: Used
    last: Used | None
    """None where there is no week to compare with."""
    change_cents: int
    """What the two amounts differ by as they are shown; 0 without a last week."""
    effects: tuple[Effect, ...]
    """In the order of the closed list, zeros included; they add up to the change. Nothing without a last."""


@dataclass(frozen=True, slots=True)
class Mover:
    """A scope whose spend changed, and by which effects most."""

    scope: Scope
    was: str | None
    """The name under which a key was known before it was replaced."""
    now_cents: int
    """As in the showback, with those of the names it was known under."""
    change_cents: int
    effects: tuple[Effect, ...]
    """The two largest, of those that go the way of the change."""
    carrier: Scope | None
    """The key and model inside it that changed most; None where that is the scope itself."""
    carrier_pico: int

    @property
    def last_cents(self) -> int:
        return self.now_cents - self.change_cents


@dataclass(frozen=True, slots=True)
class Movers:
    """Largest first; with the others they add up to the change."""

    shown: tuple[Mover, ...] = ()
    others: int = 0
    others_cents: int = 0


@dataclass(frozen=True, slots=True)
class ShowbackRow:
    """One line of who pays: a team, in a team's own digest a key."""

    name: str
    now: Used
    last: Used | None
    cents: int
    """As shown: the rows add up to the total."""
    change_cents: int
    """As shown: the rows add up to the change of the total; 0 without a last week."""


@dataclass(frozen=True, slots=True)
class ModelTokens:
    """Tokens of one model, such as those that have no price."""

    model: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the spend leaves out or cannot be laid at a door."""

    unallocated_pico: int | None
    """Spend of no team; None in a team's own digest."""
    unpriced: tuple[ModelTokens, ...]
    """Most tokens first."""


@dataclass(frozen=True, slots=True)
class Month:
    """Where the month ends, and the month that ended in this week."""

    outlook: Outlook | None
    budgets: tuple[BudgetStatus, ...] = ()
    closed: tuple[str, int] | None = None
    """Name and spend in 1e-12 USD of a month that ended in the week."""
    so_far: tuple[float, ...] = ()
    """Dollars from the first of the month to the end of each of its days, the last one to now."""


@dataclass(frozen=True, slots=True)
class Coming:
    """A dated event about models that were used this week."""

    id: str
    day: date
    summary: str
    source: str
    confidence: str
    models: tuple[str, ...]
    now_pico: int
    """What these models cost this week."""
    factor: tuple[float, float] | None
    """By how much all their prices change, least and most; None where that is not one factor."""


@dataclass(frozen=True, slots=True)
class OutcomeCost:
    """What one outcome cost, over the days it was reported for."""

    outcome: str
    count: Decimal
    days: int
    cost_pico: int


@dataclass(frozen=True, slots=True)
class SourceEnd:
    """To where the usage of a provider is known."""

    provider: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Completeness:
    """Whether all of the week is there."""

    hours: int
    hours_with_usage: int
    late: tuple[SourceEnd, ...]
    """Providers that stopped before the end of what is known, by a day or more."""


@dataclass(frozen=True, slots=True)
class BilledKind:
    """One kind of billing in the hours of the week, in 1e-12 USD."""

    kind: BillingKind
    billed_pico: int
    """What invoices say."""
    effective_pico: int
    """What use cost after what was paid before is spread over it."""
    beside_pico: int
    """The part of the effective cost that is not in the spend above."""


@dataclass(frozen=True, slots=True)
class Billing:
    """Everything that is billed; tokens alone where nothing else is."""

    kinds: tuple[BilledKind, ...] = ()
    pools: tuple[CreditPool, ...] = ()
    commitments: tuple[Commitment, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def has_others(self) -> bool:
        return any(kind.kind != "tokens" for kind in self.kinds)


@dataclass(frozen=True, slots=True)
class HourLine:
    """Dollars by hour, and what the same hours cost in earlier weeks."""

    start_at: datetime
    actual: tuple[float, ...]
    expected: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    weeks: int
    """Earlier weeks that the expectation is the mean of; 0: there is none."""


@dataclass(frozen=True, slots=True)
class Digest:
    """Everything one audience is told of one week."""

    week: KnownWeek
    audience: Scope
    """All spend, or a team."""
    made_at: datetime
    spend: Spend
    movers: Movers
    showback: tuple[ShowbackRow, ...]
    coverage: Coverage
    line: HourLine | None
    month: Month
    coming: tuple[Coming, ...]
    outcomes: tuple[OutcomeCost, ...]
    billing: Billing
    completeness: Completeness
    case: CaseFacts

    @property
    def team(self) -> str | None:
        return self.audience.as_dict().get("team")

    @property
    def audience_name(self) -> str:
        """As it is kept: `organisation` or `team:NAME`."""
        return "organisation" if self.team is None else f"team:{self.team}"
