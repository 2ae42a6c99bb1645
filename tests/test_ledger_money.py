from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import PICO_PER_USD, cents_text, cents_that_sum, exact_usd_text, usd_from_pico


@given(st.integers(-(10**18), 10**18))
def test_pico_dollars_survive_a_round_trip(pico: int) -> None:
    assert usd_from_pico(pico) * PICO_PER_USD == pico


@pytest.mark.parametrize(
    ("pico", "cents", "exact"),
    [
        (0, "0.00", "0.00"),
        (10**12, "1.00", "1.00"),
        (5 * 10**9, "0.00", "0.005"),
        (-1, "0.00", "-0.000000000001"),
        (15 * 10**9, "0.02", "0.015"),
        (-1_234_567_890_123, "-1.23", "-1.234567890123"),
        (12_300_000_000_000_000, "12300.00", "12300.00"),
    ],
)
def test_dollars_are_shown_with_two_decimals_or_all(pico: int, cents: str, exact: str) -> None:
    assert (cents_text(cents_that_sum([pico], pico)[0]), exact_usd_text(pico)) == (cents, exact)


@given(st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=30))
def test_rounded_parts_add_up_to_the_rounded_total(parts: list[int]) -> None:
    rounded = cents_that_sum(parts, sum(parts))
    assert Decimal(cents_text(sum(rounded))) == round(usd_from_pico(sum(parts)), 2)
    assert all(abs(cent * 10**10 - part) < 10**10 for cent, part in zip(rounded, parts, strict=True))


def test_parts_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="add up to 3, not to 4"):
        cents_that_sum([1, 2], 4)
