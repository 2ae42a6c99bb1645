"""Daily buckets of OpenAI's `/organization/costs` and Anthropic's `cost_report` as dollars per line item."""

import re
from collections.abc import Iterator
from decimal import Decimal

from pydantic import FiniteFloat, JsonValue

from ledger.money import PICO_PER_CENT
from ledger.scope import UNALLOCATED
from ledger.sources.anthropic_usage import DEFAULT_WORKSPACE
from ledger.sources.told import Bucket, Told, ToldCost, Wrong, named, pico_of, shaped

MAX_DAY_USD = Decimal(100_000_000)
"""A line item of a day above it is a unit error, not spend."""
_CENTS = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,20})?")


class _Amount(Told):
    value: FiniteFloat | str
    """Dollars; a number by OpenAI's schema, and text holds them as well."""
    currency: str


class _OpenAiCost(Told):
    amount: _Amount
    line_item: str | None = None
    project_id: str | None = None
    api_key_id: str | None = None
    quantity: FiniteFloat | None = None
    quantity_unit: str | None = None


class _AnthropicCost(Told):
    amount: str
    """Cents, as decimal text: "123.45" is 1.2345 USD."""
    currency: str
    description: str | None = None
    cost_type: str | None = None
    workspace_id: str | None = None
    model: str | None = None
    token_type: str | None = None
    service_tier: str | None = None

    @property
    def line(self) -> str | None:
        """The model with its class of tokens and tier, where they are told; else what the cost is for."""
        if self.model and self.token_type:
            return ", ".join(filter(None, (self.model, self.token_type, self.service_tier)))
        return self.description or self.cost_type


def openai_costs(bucket: Bucket) -> Iterator[ToldCost | Wrong]:
    """One cost a result; `amount.value` is dollars."""
    for place, result in _placed(bucket, ("project_id", "line_item")):
        found = shaped(_OpenAiCost, result, place)
        if isinstance(found, Wrong):
            yield found
            continue
        text = str(found.amount.value) if isinstance(found.amount.value, str) else repr(found.amount.value)
        pico = _dollars(place, text, found.amount.currency)
        if isinstance(pico, Wrong):
            yield pico
            continue
        quantity = None if found.quantity is None else Decimal(repr(found.quantity))
        yield ToldCost(
            place,
            bucket.window.start_at.date(),
            named(found.project_id),
            named(found.api_key_id),
            named(found.line_item),
            pico,
            quantity,
            found.quantity_unit or "",
        )


def anthropic_costs(bucket: Bucket) -> Iterator[ToldCost | Wrong]:
    """One cost a result; `amount` is cents."""
    for place, result in _placed(bucket, ("workspace_id", "description")):
        found = shaped(_AnthropicCost, result, place)
        if isinstance(found, Wrong):
            yield found
            continue
        pico = _cents(place, found.amount, found.currency)
        if isinstance(pico, Wrong):
            yield pico
            continue
        yield ToldCost(
            place,
            bucket.window.start_at.date(),
            named(found.workspace_id, DEFAULT_WORKSPACE),
            UNALLOCATED,
            named(found.line),
            pico,
        )


def _placed(bucket: Bucket, dims: tuple[str, ...]) -> Iterator[tuple[str, JsonValue]]:
    for number, result in enumerate(bucket.results):
        known = result if isinstance(result, dict) else {}
        told = {name: str(known[name]) for name in dims if known.get(name) is not None}
        yield (bucket.place(told) if told else f"{bucket.place({})} result {number + 1}"), result


def _dollars(place: str, text: str, currency: str) -> int | Wrong:
    if wrong := _other_currency(place, currency):
        return wrong
    try:
        amount = Decimal(text)
    except ArithmeticError:
        return Wrong(place, "amount.value", text, "is not an amount of dollars")
    if not amount.is_finite() or abs(amount) > MAX_DAY_USD:
        return Wrong(place, "amount.value", text, f"is over {MAX_DAY_USD:,} USD for one line of one day")
    return pico_of(amount)


def _cents(place: str, text: str, currency: str) -> int | Wrong:
    if wrong := _other_currency(place, currency):
        return wrong
    if not _CENTS.fullmatch(text):
        return Wrong(place, "amount", text, 'is not cents as decimal text, such as "123.45" for 1.2345 USD')
    cents = Decimal(text)
    if abs(cents) > MAX_DAY_USD * 100:
        return Wrong(place, "amount", text, f"is over {MAX_DAY_USD:,} USD for one line of one day")
    return int((cents * PICO_PER_CENT).to_integral_value())


def _other_currency(place: str, currency: str) -> Wrong | None:
    if currency.lower() == "usd":
        return None
    return Wrong(place, "currency", currency, "is not USD; other currencies are not taken here")
