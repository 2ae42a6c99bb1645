"""Whether the language model is configured, answers, has a price, and has money left for today."""

import re
from collections.abc import Iterator, Sequence

from agent.llm.port import CallUsage, ModelCall, ModelError
from ledger.money import usd_from_pico
from tokensleuth.app import App
from tokensleuth.casebook import Casebook
from tokensleuth.checks import Check
from tokensleuth.clock import utc_instant, utc_now
from tokensleuth.investigator import llm_in_force

SECONDS = 10.0
"""For the question whether the server is there."""


def model_checks(app: App, casebook: Casebook | None) -> Iterator[Check]:
    """From the settings to today's spend; without a casebook nothing was spent yet."""
    llm = app.settings.llm
    if app.model is None:
        missing = "TOKENSLEUTH_LLM_API_KEY" if llm.model else "llm.model"
        told = f"none: {missing} is not set, so the rules work alone"
        yield Check("model", "warn" if llm.model else "ok", told)
    else:
        yield _answers(app)
        yield from _priced(app, casebook)
    if casebook is not None:
        since = utc_now().replace(hour=0, minute=0, second=0)
        calls = [booked.call for booked in casebook.model_calls(since)]
        if calls or app.model is not None:
            yield model_spend(calls, llm.usd_per_day)


def _answers(app: App) -> Check:
    """Whether the server knows the key; no tokens are used."""
    # Imported here: the client takes a second to load.
    from agent.llm.openai_chat import OpenAIChat

    told = f"{app.settings.llm.model} at {re.sub(r'//[^/@]*@', '//***@', app.settings.llm.base_url)}"
    if not isinstance(app.model, OpenAIChat):
        return Check("model", "ok", told)
    try:
        app.model.greet(SECONDS)
    except ModelError as error:
        return Check("model", "warn", f"{told}: {error}; investigations will be marked degraded")
    return Check("model", "ok", told)


def _priced(app: App, casebook: Casebook | None) -> Iterator[Check]:
    llm = llm_in_force(app, casebook) if casebook else None
    if llm is None or app.model is None:
        return
    usage = CallUsage(input_tokens=1_000, output_tokens=1_000)
    if llm.meter.cost_pico(app.model.name, usage, utc_instant()) is None:
        told = f"no price for {app.model.name}: its dollars are unknown, and limits in dollars do not hold"
        yield Check("model price", "warn", told)


def model_spend(calls: Sequence[ModelCall], cap_usd: float) -> Check:
    """What the investigation's own calls of today cost; a warning where the day's cap is reached."""
    spent_usd = usd_from_pico(sum(call.cost_pico or 0 for call in calls))
    unpriced = sum(call.cost_pico is None for call in calls)
    detail = f"{len(calls)} calls today, ${spent_usd:.2f} of ${cap_usd:.2f} a day"
    told = f"{detail}; {unpriced} unpriced calls do not count" if unpriced else detail
    return Check("model spend", "warn" if calls and spent_usd >= cap_usd else "ok", told)
