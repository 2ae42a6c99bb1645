"""Incidents that a threshold kept quiet are known, so that they can be looked at again once it is gone."""

from tests.tuning_builder import fires, happens, said, when
from tokensleuth.announcing.kept_quiet import quiet_below_thresholds
from tokensleuth.casebook import Casebook


def quiet(casebook: Casebook, day: float) -> frozenset[str]:
    with casebook.reading() as connection:
        return quiet_below_thresholds(connection, when(day))


def test_what_a_threshold_kept_quiet_is_known_until_somebody_is_told_of_it(casebook: Casebook) -> None:
    first = happens(casebook, "80.00")
    assert fires(casebook, first, day=0)
    said(casebook, first, "not-an-issue")
    second = happens(casebook, "82.00", day=2)
    assert not fires(casebook, second, day=2)
    assert quiet(casebook, 2) == {second}
    said(casebook, first, "real", day=2.5)
    assert quiet(casebook, 2.5) == {second}
    assert fires(casebook, second, day=3)
    assert quiet(casebook, 3) == frozenset()


def test_what_was_expected_is_not_among_it(casebook: Casebook) -> None:
    said(casebook, happens(casebook, "80.00"), "expected")
    assert not fires(casebook, happens(casebook, "82.00", day=2), day=2)
    assert quiet(casebook, 2) == frozenset()


def test_what_is_long_over_is_forgotten(casebook: Casebook) -> None:
    said(casebook, happens(casebook, "80.00"), "not-an-issue")
    assert not fires(casebook, happens(casebook, "82.00", day=2), day=2)
    assert quiet(casebook, 7) == frozenset()
