"""Whether people can decide, and whether what they approve can be done."""

from collections.abc import Iterator

from tokensleuth.app import App
from tokensleuth.authority import people_of
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import verify_entries
from tokensleuth.casebook.queues import waiting_letters
from tokensleuth.checks import Check
from tokensleuth.clock import utc_now
from tokensleuth.service.anchors import kept_anchor
from tokensleuth.settings import Settings
from tokensleuth.terminal.text import counted

_SECRETS = {
    "litellm": "LITELLM_MASTER_KEY",
    "openai": "OPENAI_ADMIN_KEY",
    "anthropic": "ANTHROPIC_ADMIN_KEY",
    "webhook": "TOKENSLEUTH_WEBHOOK_SECRET",
}


def acting_checks(app: App, casebook: Casebook | None) -> Iterator[Check]:
    """From who may decide to whether the record of it is whole."""
    yield _approvers(app.settings)
    yield from _gateways(app.settings)
    yield _slack(app.settings)
    if casebook is not None:
        yield from _unsettled(casebook)
        yield _audit(app, casebook)


def _approvers(settings: Settings) -> Check:
    people = people_of(settings)
    if not people.approvers:
        return Check("approvers", "warn", "nobody may decide: add [[approver]] tables to the settings")
    lonely = [a for a in settings.approver if "revoke" in a.may]
    missing = [
        kind for kind in ("limit", "block", "tell") if not any(kind in a.may for a in settings.approver)
    ]
    told = ", ".join(approver.name for approver in settings.approver)
    if len(lonely) == 1:
        return Check(
            "approvers", "warn", f"{told}; only {lonely[0].name} may revoke, and it takes two people"
        )
    if missing:
        return Check("approvers", "warn", f"{told}; nobody may decide on {' and '.join(missing)} actions")
    return Check("approvers", "ok", told)


def _gateways(settings: Settings) -> Iterator[Check]:
    """Those that proposals may name, and whether their secret is there."""
    if settings.actions.dry_run:
        yield Check("actions", "ok", "dry run: approved actions are rehearsed, nothing is changed")
    named = {settings.proposals.gateway, *settings.proposals.gateways.values()} - {"none"}
    for name in sorted(named):
        address = getattr(settings.gateways, name)
        if address.secret is None:
            yield Check(
                "gateway", "warn", f"{name}: {_SECRETS[name]} is not set, so nothing is executed there"
            )
        else:
            yield Check("gateway", "ok", f"{name} at {address.base_url}")
    if not named and not settings.actions.dry_run:
        yield Check("gateway", "warn", "none is named in [proposals]: people do by hand what they approve")


def _slack(settings: Settings) -> Check:
    slack = settings.slack
    if not slack.channel and slack.bot_token is None:
        return Check("slack", "ok", "not configured: the web inbox and the command line decide")
    missing = [
        name
        for name, value in (
            ("slack.channel", slack.channel),
            ("slack.team_id", slack.team_id),
            ("SLACK_BOT_TOKEN", slack.bot_token),
            ("SLACK_APP_TOKEN or SLACK_SIGNING_SECRET", slack.app_token or slack.signing_secret),
        )
        if value is None
    ]
    told = f"alerts go to {slack.channel}"
    return (
        Check("slack", "warn", f"{' and '.join(missing)} missing") if missing else Check("slack", "ok", told)
    )


def _unsettled(casebook: Casebook) -> Iterator[Check]:
    """What nobody knows the outcome of, and what could not be sent."""
    for proposal in casebook.proposals("unknown", now=utc_now()):
        told = f"{proposal['id']}: nobody knows whether {proposal['action']} happened; look at the gateway"
        yield Check("execution", "warn", told)
    with casebook.reading() as connection:
        waiting = waiting_letters(connection)
    failing = [letter for letter in waiting if letter["error"]]
    if failing:
        yield Check("outbox", "warn", f"{counted(len(failing), 'letter')} waiting: {failing[0]['error']}")


def _audit(app: App, casebook: Casebook) -> Check:
    beside = kept_anchor(app.settings.store.casebook_url)
    with casebook.reading() as connection:
        found = verify_entries(connection, casebook.key, [beside] if beside else [])
    if found.whole:
        return Check("audit", "ok", f"{found.anchor.count} entries, whole")
    return Check("audit", "fail", f"broken at entry {found.broken_at}: {found.why}")
