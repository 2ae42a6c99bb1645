"""Who is told of a week: the organisation in its channel, teams in those of the routes that name them."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ledger.ids import fact_id
from ledger.scope import UNALLOCATED
from tokensleuth.casebook.storable import storable
from tokensleuth.digest.settings import DigestSettings
from tokensleuth.settings_acts import Route

LONGEST = 255


@dataclass(frozen=True, slots=True)
class Audience:
    """A digest of its own, and where it goes; nowhere where no channel is set."""

    team: str | None
    channels: tuple[str, ...]

    @property
    def name(self) -> str:
        """As it is kept, within what a database takes."""
        name = "organisation" if self.team is None else storable(f"team:{self.team}")
        return name if len(name) <= LONGEST else fact_id("team", name)


def organisation(settings: DigestSettings, default: str | None) -> Audience:
    """`default` is where alerts go that no route takes."""
    channel = settings.channel or default
    return Audience(None, (channel,) if channel else ())


def told_teams(
    settings: DigestSettings, routes: Sequence[Route], teams: Sequence[str]
) -> tuple[Audience, ...]:
    """Those of the teams that a route names, by `where.team` alone or by `owner`."""
    wanted = [t for t in teams if t != UNALLOCATED and any(fnmatchcase(t, glob) for glob in settings.teams)]
    found = [Audience(team, _channels(routes, team)) for team in wanted]
    return tuple(audience for audience in found if audience.channels)


def _channels(routes: Sequence[Route], team: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(route.channel for route in routes if _is_theirs(route, team)))


def _is_theirs(route: Route, team: str) -> bool:
    """A route that narrows to a key or a model is not the team's, nor is one that takes everything."""
    named = [glob for glob in (route.where.get("team"), route.owner) if glob is not None and glob != "*"]
    return bool(named) and set(route.where) <= {"team"} and all(fnmatchcase(team, glob) for glob in named)
