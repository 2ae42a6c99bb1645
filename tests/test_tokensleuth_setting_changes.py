"""A setting changed on the command line is checked like one of the settings file."""

import pytest

from detectors.settings import DetectorSettings
from ledger.errors import RefusedError
from tokensleuth.setting_changes import changed_detection, differences

PRESENT = DetectorSettings(fire_score=12.0)


def test_what_is_not_changed_stays_as_it_is_set() -> None:
    changed = changed_detection(PRESENT, ["trees=50", "explained_share = 0.5"])
    assert (changed.fire_score, changed.trees, changed.explained_share) == (12.0, 50, 0.5)


def test_a_name_may_carry_its_table_as_in_the_messages_about_settings() -> None:
    assert changed_detection(PRESENT, ["detection.min_usd=3"]).min_usd == 3.0


def test_differences_tell_only_what_is_not_the_same() -> None:
    changed = changed_detection(PRESENT, ["fire_score=14", "seed=7"])
    assert differences(PRESENT, changed) == {"fire_score": {"from": 12.0, "to": 14.0}}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (["fire_scor=14"], r"`fire_scor` is no setting of detection; those are fire_score, keep_score,"),
        (["fire_score"], r"`fire_score` is not of the form key=value"),
        (["fire_score="], r"`fire_score=` is not of the form key=value"),
        (["fire_score=high"], r"fire_score = 'high': must be a number \(float\), such as 12.0"),
        (["trees=1.5"], r"trees = '1.5': must be a whole number \(int\), such as 100"),
        (["trees=0"], r"detection.trees = 0: must be from 1 to 10,000"),
        (["min_usd=nan"], r"detection.min_usd = nan: must be from 0"),
        (["fire_score=2"], r"keep_score 3.0 must lie above 0 and not above fire_score 2.0"),
        (["trees=1", "trees=2"], r"trees is given twice, 1 and 2"),
    ],
)
def test_a_wrong_change_is_refused_with_what_would_be_right(changes: list[str], told: str) -> None:
    with pytest.raises(RefusedError, match=told):
        changed_detection(PRESENT, changes)


def test_two_wrong_values_are_told_at_once() -> None:
    with pytest.raises(RefusedError, match=r"(?s)fire_score = 'x'.*trees = 'y'"):
        changed_detection(PRESENT, ["fire_score=x", "trees=y"])
