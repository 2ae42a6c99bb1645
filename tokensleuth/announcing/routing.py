"""Which channels are told of an incident: every route that fits it, else the default channel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import cast

from ledger.scope import Dimension, Scope
from tokensleuth.announcing.severity import SEVERITIES
from tokensleuth.settings_acts import Route, Severity


@dataclass(frozen=True, slots=True)
class Destination:
    """A channel, and who is named in the message there."""

    channel: str
    mention: tuple[str, ...] = ()


def destinations(
    incident: Mapping[str, object], routes: Sequence[Route], default: str | None, urgency: Severity
) -> tuple[Destination, ...]:
    """Each channel once, in the order of the routes; none only where nothing fits and there is no default."""
    mentions: dict[str, dict[str, None]] = {}
    for route in routes:
        if _fits(route, incident, urgency):
            mentions.setdefault(route.channel, {}).update(dict.fromkeys(route.mention))
    if not mentions and default is not None:
        mentions[default] = {}
    return tuple(Destination(channel, tuple(users)) for channel, users in mentions.items())


def _fits(route: Route, incident: Mapping[str, object], urgency: Severity) -> bool:
    return (
        SEVERITIES.index(urgency) >= SEVERITIES.index(route.min_severity)
        and (route.owner is None or any(fnmatchcase(o, route.owner) for o in owners_of(incident)))
        and any(_lies_in(scope, route.where) for scope in scopes_of(incident))
    )


def scopes_of(incident: Mapping[str, object]) -> Sequence[Scope]:
    """Its own, and those of its culprits within it."""
    own = scope_of(incident)
    culprits = cast(Sequence[Mapping[str, object]], incident["culprits"])
    return [own, *(own.narrowed_to(scope_of(culprit)) for culprit in culprits)]


def owners_of(incident: Mapping[str, object]) -> Sequence[str]:
    """Whom its proposals want to notify."""
    proposals = cast(Sequence[Mapping[str, object]], incident["proposals"])
    wanted = [cast(Mapping[str, object], p["parameters"]) for p in proposals if p["action"] == "notify_owner"]
    return [str(parameters["owner"]) for parameters in wanted]


def _lies_in(scope: Scope, where: Mapping[Dimension, str]) -> bool:
    """Whether every dimension of the route is pinned to a value that fits; what is not pinned does not."""
    pinned = scope.as_dict()
    return all(d in pinned and fnmatchcase(pinned[d], glob) for d, glob in where.items())


def scope_of(document: Mapping[str, object]) -> Scope:
    return Scope.of(cast(dict[Dimension, str], document["scope"]))
