"""Every route that fits an incident is told, each channel once; nobody fits: the default channel."""

from tests.incident_documents import culprit, incident_document, proposal_document
from tokensleuth.announcing.routing import Destination, destinations
from tokensleuth.settings_acts import Route, Severity


def channels(
    *routes: Route, incident: dict[str, object] | None = None, urgency: Severity = "low"
) -> list[str]:
    found = destinations(incident or incident_document(), routes, "CDEFAULT", urgency)
    return [to.channel for to in found]


def test_nobody_fits_then_the_default_channel_is_told() -> None:
    assert channels() == ["CDEFAULT"]
    assert channels(Route(channel="CADS", where={"team": "ads"})) == ["CDEFAULT"]
    assert destinations(incident_document(), (), None, "high") == ()


def test_a_route_without_conditions_fits_every_incident() -> None:
    assert channels(Route(channel="CALL")) == ["CALL"]


def test_all_globs_of_a_route_must_fit_and_case_counts() -> None:
    assert channels(Route(channel="C111", where={"team": "sea*", "key_id": "k?"})) == ["C111"]
    assert channels(Route(channel="C111", where={"team": "sea*", "key_id": "x*"})) == ["CDEFAULT"]
    assert channels(Route(channel="C111", where={"team": "SEA*"})) == ["CDEFAULT"]


def test_a_dimension_the_incident_does_not_pin_fits_no_glob() -> None:
    assert channels(Route(channel="C111", where={"model": "*"})) == ["CDEFAULT"]


def test_a_culprit_within_a_wider_incident_is_routed_by_its_own_scope() -> None:
    wide = incident_document(scope={"team": "ads"}, culprits=[culprit({"key_id": "k9"}), culprit({})])
    assert channels(Route(channel="C111", where={"team": "ads", "key_id": "k9"}), incident=wide) == ["C111"]


def test_globs_of_two_culprits_are_not_mixed() -> None:
    mixed = [culprit({"team": "ads", "model": "a"}), culprit({"team": "web", "model": "b"})]
    wide = incident_document(scope={}, culprits=mixed)
    crossed = Route(channel="C111", where={"team": "ads", "model": "b"})
    assert channels(crossed, incident=wide) == ["CDEFAULT"]


def test_an_owner_is_the_one_whom_a_proposal_notifies() -> None:
    told = incident_document(proposals=[proposal_document()])
    route = Route(channel="CONCALL", owner="search-*")
    assert channels(route, incident=told) == ["CONCALL"]
    assert channels(route) == ["CDEFAULT"]
    assert channels(Route(channel="CONCALL", owner="ads-*"), incident=told) == ["CDEFAULT"]


def test_a_route_is_told_from_its_least_severity_on() -> None:
    route = Route(channel="CPAGER", min_severity="medium")
    assert [channels(route, urgency=urgency) for urgency in ("low", "medium", "high")] == [
        ["CDEFAULT"], ["CPAGER"], ["CPAGER"],
    ]  # fmt: skip


def test_a_channel_is_told_once_with_all_mentions_in_order() -> None:
    routes = [
        Route(channel="C111", mention=("U11", "U22")),
        Route(channel="C222"),
        Route(channel="C111", where={"team": "*"}, mention=("U22", "U33")),
    ]
    found = destinations(incident_document(), routes, "CDEFAULT", "low")
    assert found == (Destination("C111", ("U11", "U22", "U33")), Destination("C222"))
