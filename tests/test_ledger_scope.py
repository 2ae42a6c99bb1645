import pytest

from ledger.errors import RefusedError
from ledger.scope import DIMENSIONS, EVERYTHING, Scope, parse_dimension


def test_a_scope_keeps_the_order_of_the_dimensions_however_it_is_built() -> None:
    assert Scope.parse(["key=k1", "team=search"]) == EVERYTHING.with_value("key_id", "k1").with_value(
        "team", "search"
    )
    assert str(Scope.parse(["key=k1", "team=search"])) == "team=search, key_id=k1"


def test_a_value_may_hold_an_equals_sign() -> None:
    assert Scope.parse(["feature=a=b"]).as_dict() == {"feature": "a=b"}


@pytest.mark.parametrize("text", ["team=search,key=k1", "team=search, key_id=k1", "key=k1 ,team=search"])
def test_a_scope_is_read_as_it_is_printed(text: str) -> None:
    assert str(Scope.parse_text(text)) == "team=search, key_id=k1"


@pytest.mark.parametrize("text", ["all", " all spend"])
def test_all_spend_is_a_scope_by_name(text: str) -> None:
    assert Scope.parse_text(text) == EVERYTHING


def test_a_comma_that_no_dimension_follows_is_part_of_the_value() -> None:
    assert Scope.parse_text("team=a, b,user=c").as_dict() == {"team": "a, b", "user": "c"}


@pytest.mark.parametrize("text", ["team", "team=", "colour=red"])
def test_a_wrong_filter_is_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        Scope.parse([text])


def test_a_dimension_given_twice_is_refused() -> None:
    with pytest.raises(RefusedError, match="given twice"):
        Scope.parse(["team=a", "team=b"])


def test_a_scope_contains_the_scopes_that_pin_more() -> None:
    team, key = Scope.parse(["team=a"]), Scope.parse(["team=a", "key=k"])
    assert team.contains(key)
    assert not key.contains(team)
    assert EVERYTHING.contains(team)


@pytest.mark.parametrize("name", [*DIMENSIONS, "key", "tier"])
def test_every_dimension_has_its_name(name: str) -> None:
    assert parse_dimension(name) in DIMENSIONS
