"""Puts the parts of the agent together for one run: what it reads, remembers, may ask and may propose."""

from dataclasses import fields
from datetime import datetime

from agent.investigation import Deps
from agent.llm.port import Limits, Llm
from agent.policy import PolicySettings
from ledger.reader import Reader
from tokensleuth.app import App
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.history import CasebookHistory
from tokensleuth.clock import utc_instant
from tokensleuth.own_calls import CasebookMeter
from tokensleuth.playbooks_in_force import playbooks_of
from tokensleuth.settings import LlmSettings
from tokensleuth.tuning.planning import calendar_in_force


def investigator(app: App, reader: Reader, casebook: Casebook, now: datetime) -> Deps:
    """What the nodes of the graph work with."""
    proposals = app.settings.proposals
    policy = PolicySettings(
        default_gateway=proposals.gateway,
        gateways=proposals.gateways,
        proposal_hours=proposals.expire_hours,
        protected_keys=proposals.protected_keys,
    )
    return Deps(
        reader=reader,
        playbooks=playbooks_of(app),
        now=now,
        policy=policy,
        calendar=calendar_in_force(casebook, app.settings.calendar, now),
        history=CasebookHistory(casebook),
        llm=llm_in_force(app, casebook),
    )


def llm_in_force(app: App, casebook: Casebook) -> Llm | None:
    """The configured model with its books and limits; None where none is configured."""
    if app.model is None:
        return None
    settings = app.settings.llm
    meter = CasebookMeter(casebook, app.price_book(), settings.provider)
    return Llm(model=app.model, meter=meter, clock=utc_instant, limits=limits_of(settings))


def limits_of(settings: LlmSettings) -> Limits:
    """The settings carry the names of the limits."""
    return Limits(**{f.name: getattr(settings, f.name) for f in fields(Limits)})
