"""Puts the executor together from the settings: gateways, guard rails, and what the ledger knows."""

import os
import secrets
from collections.abc import Mapping

from tokensleuth.acting.executor import Executor
from tokensleuth.acting.spend import LedgerSpend
from tokensleuth.app import App
from tokensleuth.authority import rails_of
from tokensleuth.casebook import Casebook
from tokensleuth.clock import utc_now
from tokensleuth.gateways.choosing import Gateways, GatewaySettings
from tokensleuth.gateways.port import Gateway
from tokensleuth.settings import Settings


def worker_name() -> str:
    """A name no other worker has, also not one of a process of the same number before."""
    return f"{os.getpid()}-{secrets.token_hex(4)}"


def executor_of(app: App, casebook: Casebook, owner: str) -> Executor:
    """An executor over the gateways that have a secret."""
    slack = app.settings.slack
    return Executor(
        casebook=casebook,
        gateways=gateways_of(app.settings),
        rails=rails_of(app.settings),
        spend=LedgerSpend(app.reading_ledger),
        owner=owner,
        clock=utc_now,
        routes=app.settings.route,
        channel=slack.channel if slack.is_configured else None,
    )


def gateways_of(settings: Settings) -> Mapping[str, Gateway]:
    """Those whose secret is in the environment; each client is built when it is first used."""
    given = {name: getattr(settings.gateways, name) for name in type(settings.gateways).model_fields}
    configured = {
        name: GatewaySettings(address.secret, address.base_url)
        for name, address in given.items()
        if address.secret is not None
    }
    return Gateways(configured)
