"""Thresholds by hand: refused where they would have kept quiet what was real, else as any other."""

from datetime import timedelta
from decimal import Decimal

import pytest

from ledger.errors import RefusedError
from ledger.scope import Scope
from tests.decision_builders import audited
from tests.tuning_builder import DAY, NOISY, fires, happens, in_force, said, when
from tokensleuth.casebook import Casebook
from tokensleuth.tuning.changing import ByHand, Chosen, raise_by_hand
from tokensleuth.tuning.words import tuning_words

SCOPE = Scope.parse([f"{name}={value}" for name, value in NOISY.items()])


def raised(casebook: Casebook, usd: str, *, lasts: timedelta = 10 * DAY, day: float = 0) -> Chosen:
    asked = ByHand(SCOPE, "up", Decimal(usd), lasts, "tried it", "alice")
    return raise_by_hand(casebook, asked, when(day))


def test_it_keeps_quiet_what_stays_below_until_it_ends(casebook: Casebook) -> None:
    chosen = raised(casebook, "50")
    assert tuning_words(chosen.tuning) == (
        "team=search, key_id=k1: no alert of rises below $50.00 until 2026-11-13 20:05 UTC"
    )
    assert not fires(casebook, happens(casebook, "40.00", day=2), day=2)
    assert fires(casebook, happens(casebook, "50.00", day=2.5), day=2.5)
    assert fires(casebook, happens(casebook, "41.00", day=10), day=10)


def test_its_price_is_told(casebook: Casebook) -> None:
    for day in (-3, -2):
        happens(casebook, "40.00", day=day)
    happens(casebook, "60.00", day=-1)
    price = raised(casebook, "50").price
    assert (len(price.past), price.usd) == (2, Decimal("80.00"))


def test_it_is_refused_over_what_was_real(casebook: Casebook) -> None:
    incident_id = happens(casebook, "40.00", day=-3)
    said(casebook, incident_id, "real", day=-3)
    with pytest.raises(
        RefusedError, match=r"kept quiet inc_-3_40.00 of \$40.00, .* raise it to \$40.00 at most"
    ):
        raised(casebook, "50")
    assert not in_force(casebook)
    raised(casebook, "40")
    assert len(in_force(casebook)) == 1


def test_what_was_real_long_ago_does_not_count(casebook: Casebook) -> None:
    said(casebook, happens(casebook, "40.00", day=-40), "real", day=-40)
    assert raised(casebook, "50").price.past == ()


def test_one_scope_has_one_threshold(casebook: Casebook) -> None:
    first, second = raised(casebook, "50"), raised(casebook, "30", day=1)
    assert first.tuning.id == second.tuning.id
    (standing,) = in_force(casebook, day=1)
    assert standing.document["min_usd"] == "30"
    assert audited(casebook, standing.id) == ["raised a threshold"] * 2


def test_no_issue_goes_on_from_what_was_chosen(casebook: Casebook) -> None:
    raised(casebook, "50")
    said(casebook, happens(casebook, "400.00", day=1), "not-an-issue", day=1)
    assert in_force(casebook, day=1)[0].document["min_usd"] == "150"


@pytest.mark.parametrize("days", [0, 31])
def test_it_lasts_a_month_at_most(casebook: Casebook, days: int) -> None:
    with pytest.raises(RefusedError, match=f"{days} days: a threshold is raised for 1 to 30 days"):
        raised(casebook, "50", lasts=days * DAY)


@pytest.mark.parametrize("usd", ["0", "-1", "NaN", "Infinity"])
def test_an_amount_must_be_one(casebook: Casebook, usd: str) -> None:
    with pytest.raises(RefusedError, match=f"a threshold of {usd} USD"):
        raised(casebook, usd)
