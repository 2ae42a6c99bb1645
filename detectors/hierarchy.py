"""Merges spikes that share one cause into one incident, told at the deepest scope that explains it.

In turn: a spike whose excess lies in another's scope is evidence for that one; a level that stays shifted is
one incident however often it fires; groups that moved in step with a scope as a whole are one at that scope;
a fall and the rises that make up for it in the same keys are one switch; and a change back to what was before
is the end of the change, no incident of its own.
"""

from collections.abc import Collection, Sequence

from detectors.continuing import join_continuing
from detectors.grouping import Group, group_spikes
from detectors.incidents import Incident, Spike
from detectors.leaves import Leaves
from detectors.places import Places
from detectors.returns import fold_returns
from detectors.scored import ScoredSeries
from detectors.settings import DetectorSettings
from detectors.shared import unite_shared
from detectors.switches import unite_switches
from detectors.telling import Accounts, told_at_the_deepest
from ledger.reader import HourlySeries
from ledger.scope import Scope


def merge_incidents(
    spikes: Sequence[Spike],
    leaves: HourlySeries,
    settings: DetectorSettings,
    *,
    scored: ScoredSeries | None = None,
    scopes: Collection[Scope] = (),
) -> tuple[Incident, ...]:
    """One incident per cause, by start, then largest first; every spike belongs to exactly one.

    `scopes` are further scopes an incident may be told at, such as keys too new to be scored. Amounts come
    from the scope's own scored series where there is one, else from the leaves.
    """
    places = Places.of([*scopes, *(spike.series.scope for spike in spikes)], Leaves.of(leaves))
    accounts = Accounts.of(places, scored)
    groups = told_at_the_deepest(group_spikes(dict(enumerate(spikes)), places, settings), places, settings)
    groups = join_continuing(groups, accounts)
    groups = unite_shared(groups, spikes, places, settings)
    groups = unite_switches(groups, places)
    groups = fold_returns(join_continuing(groups, accounts), accounts)
    incidents = [_incident(group, accounts) for group in groups]
    return tuple(sorted(incidents, key=lambda i: (i.window.start_at, -abs(i.excess_usd), i.scope)))


def _incident(group: Group, accounts: Accounts) -> Incident:
    amounts = accounts.amounts(group.place, group.window)
    return Incident(
        window=group.window,
        scope=accounts.places.scopes[group.place],
        direction=group.direction,
        expected_usd=amounts.expected,
        actual_usd=amounts.actual,
        spikes=group.spikes,
    )
