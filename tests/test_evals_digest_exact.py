"""Every figure of a digest equals SQL of its own; `python -m evals.digest_exact` asks 50 ledgers."""

import pytest

from evals.digest_checks import Check
from evals.digest_exact import Tally, examine


@pytest.mark.parametrize("seed", [101, 102, 103, 104, 105])
def test_every_figure_of_a_digest_is_what_sql_says(seed: int) -> None:
    tally = Tally()
    examine(seed, tally)
    assert tally.wrong == []
    assert tally.figures > 30


def test_a_wrong_figure_is_told() -> None:
    tally = Tally()
    tally.count(7, Check("spend", 1, 2))
    assert tally.wrong == ["ledger 7: spend: 1 instead of 2"]
