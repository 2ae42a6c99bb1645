"""Outcomes are read from a CSV file; what is wrong in it is told with its place."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.errors import RefusedError
from tests.digest_cases import reader
from tests.ledger_builder import span
from tokensleuth.digest.outcomes import Outcome, outcome_costs, read_outcomes

HEAD = "day,team,outcome,count\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "outcomes.csv"
    path.write_text(text, "utf-8")
    return path


def test_rows_are_read(tmp_path: Path) -> None:
    rows = f"{HEAD}2026-11-02,search,answer,12\n2026-11-02,search,ticket,0.5\n"
    found = read_outcomes(written(tmp_path, rows))
    assert found[0] == Outcome(date(2026, 11, 2), "search", "answer", Decimal(12))
    assert len(found) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("day,team,count\n", "line 1: `day,team,count`: the columns of outcomes are day,team,outcome,count"),
        (f"{HEAD}tomorrow,a,b,1\n", "line 2, column day: `tomorrow`"),
        (f"{HEAD}2026-11-02,,b,1\n", "line 2, column team: ``"),
        (f"{HEAD}2026-11-02,a,b,many\n", "line 2, column count: `many`"),
        (f"{HEAD}2026-11-02,a,b,-1\n", "line 2, column count: `-1`"),
        (f"{HEAD}2026-11-02,a,b,NaN\n", "line 2, column count: `NaN`"),
        (f"{HEAD}2026-11-02,a,b,1\n2026-11-02,a,b,2\n", "line 3: b of a on 2026-11-02 is there twice"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read_outcomes(written(tmp_path, text))
    assert told in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"none\.csv"):
        read_outcomes(tmp_path / "none.csv")


def test_days_of_which_a_part_is_known_are_left_out() -> None:
    reported = [Outcome(date(2026, 11, 2 + i), "support", "ticket", Decimal(10)) for i in range(3)]
    [cost] = outcome_costs(reader(), reported, span(28, hours=40), None)
    assert (cost.days, cost.count) == (1, Decimal(10))


def test_nothing_of_something_has_no_cost_of_one() -> None:
    reported = [Outcome(date(2026, 11, 2), "support", "ticket", Decimal(0))]
    [cost] = outcome_costs(reader(), reported, span(28, hours=168), None)
    assert cost.count == 0
    assert cost.cost_pico > 0
