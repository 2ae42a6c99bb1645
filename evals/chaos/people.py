"""Who may decide in a trial, and what may be done: no guard rail stands in the way of many actions."""

from tokensleuth.acting.guards import GuardRails
from tokensleuth.approvals.rules import ApprovalRules
from tokensleuth.people import Approver, People
from tokensleuth.settings_acts import Actions

TEAM = "T1CHAOS"
ALICE, BOB, STRANGER = "U1ALICE", "U2BOB", "U3CAROL"
RULES = ApprovalRules(
    People(
        (
            Approver(name="alice", slack=ALICE, may=("limit", "block", "revoke", "tell")),
            Approver(name="bob", slack=BOB, may=("limit", "block", "revoke", "tell")),
        ),
        TEAM,
    )
)
RAILS = GuardRails(
    RULES,
    Actions(dry_run=False, limit_hours=24, max_revocations_per_day=10_000, max_actions_per_day=100_000),
)
