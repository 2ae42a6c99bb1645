"""Who may decide and what may be done, as the settings say it."""

from tokensleuth.acting.guards import GuardRails
from tokensleuth.approvals.rules import ApprovalRules
from tokensleuth.people import Identity, People
from tokensleuth.person import os_user
from tokensleuth.settings import Settings


def people_of(settings: Settings) -> People:
    return People(settings.approver, settings.slack.team_id)


def rules_of(settings: Settings) -> ApprovalRules:
    return ApprovalRules(people_of(settings), settings.actions.max_spend_share)


def rails_of(settings: Settings) -> GuardRails:
    return GuardRails(rules_of(settings), settings.actions, settings.proposals.protected_keys)


def local_user() -> Identity:
    """Whoever runs this process, by the operating system."""
    return Identity("os", os_user())
