"""What has no past: new teams, features and keys, and strangers on known keys."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ledger.scope import Scope
from tests.ledger_builder import Cell, LedgerBuilder, span
from tools.newcomers import Stranger, newcomers, strangers
from tools.study import study_change

DAY = span(30)
KEYS = tuple(f"k{i}" for i in range(1, 7))


def noon(hour: datetime) -> float:
    return 1.0 if hour.hour == 12 else 0.0


def _organisation() -> LedgerBuilder:
    builder = LedgerBuilder()
    for key in KEYS:
        builder.run(Cell(key_id=key, team=f"t{key}"), days=35, shape=noon)
    return builder


def _came(*cells: Cell, builder: LedgerBuilder | None = None) -> LedgerBuilder:
    builder = builder or _organisation()
    for cell in cells:
        builder.run(cell, days=1, since=30, shape=noon)
    return builder


def _new(builder: LedgerBuilder) -> Sequence[str]:
    return [str(found.scope) for found in newcomers(study_change(builder.reader(), DAY).split)]


def _strangers(builder: LedgerBuilder) -> Sequence[Stranger]:
    study = study_change(builder.reader(), DAY)
    return list(strangers(study.split, study.table, study.compared))


STRANGER = Cell(key_id="k1", team="tk1", region="ap-south-9", client="curl/8")


def test_an_ordinary_day_has_neither() -> None:
    assert _new(_organisation()) == []
    assert _strangers(_organisation()) == []


def test_a_new_key_is_a_slice_of_its_own() -> None:
    cells = Cell(key_id="k8", team="tk1"), Cell(key_id="k9", team="tk2")
    assert set(_new(_came(*cells))) == {"team=tk1, key_id=k8", "team=tk2, key_id=k9"}


def test_a_new_feature_with_several_keys_is_one_slice() -> None:
    cells = [Cell(key_id=f"n{i}", team="tk1", feature="summaries") for i in range(3)]
    assert _new(_came(*cells)) == ["team=tk1, feature=summaries"]


def test_a_new_team_with_several_keys_is_one_slice() -> None:
    assert _new(_came(*[Cell(key_id=f"n{i}", team="rocket") for i in range(3)])) == ["team=rocket"]


def test_a_new_team_with_one_key_is_that_key() -> None:
    assert _new(_came(Cell(key_id="n1", team="rocket"))) == ["team=rocket, key_id=n1"]


def test_a_new_feature_of_a_known_key_is_a_slice() -> None:
    cell = Cell(key_id="k1", team="tk1", feature="summaries")
    assert _new(_came(cell)) == ["team=tk1, feature=summaries"]


def test_a_new_team_of_a_known_key_is_a_slice() -> None:
    assert _new(_came(Cell(key_id="k1", team="rocket"))) == ["team=rocket"]


def test_newcomers_share_no_leaves() -> None:
    cells = [Cell(key_id=f"n{i}", team="rocket", feature="summaries") for i in range(3)]
    split = study_change(_came(*cells).reader(), DAY).split
    found = list(newcomers(split))
    assert sum(int(f.leaves.sum()) for f in found) == 3
    assert (split.effect("new_entities") != 0).sum() == 3


def test_a_stranger_on_a_known_key_is_told_with_its_place() -> None:
    found = _strangers(_came(STRANGER))
    assert [s.found.scope for s in found] == [
        Scope.parse_text("team=tk1, key_id=k1, region=ap-south-9, client=curl/8")
    ]
    assert found[0].known_ratio == 1.0
    assert found[0].found.leaves.sum() == 1


def test_a_stranger_from_known_regions_is_told_by_its_client() -> None:
    found = _strangers(_came(replace(STRANGER, region="us-east-1")))
    assert found[0].found.scope == Scope.parse_text("team=tk1, key_id=k1, client=curl/8")


def test_a_new_user_of_a_key_is_a_stranger() -> None:
    builder = LedgerBuilder()
    for key in KEYS:
        builder.run(Cell(key_id=key, team=f"t{key}", user="ann"), days=35, shape=noon)
    found = _strangers(_came(Cell(key_id="k1", team="tk1", user="bob", requests=300), builder=builder))
    assert found[0].found.scope == Scope.parse_text("team=tk1, key_id=k1, user=bob")


def test_a_place_that_was_used_long_ago_is_no_stranger() -> None:
    builder = _organisation().run(STRANGER, days=1, since=4, shape=noon)
    assert _strangers(_came(STRANGER, builder=builder)) == []


def test_a_roll_over_is_no_stranger() -> None:
    builder = _organisation().change(DAY, lambda _, c: replace(c, client="sdk/2") if c.key_id == "k1" else c)
    assert _strangers(builder) == []


def test_half_a_roll_over_is_no_stranger() -> None:
    builder = _organisation().change(DAY, lambda _, c: replace(c, requests=50) if c.key_id == "k1" else c)
    assert _strangers(_came(replace(STRANGER, requests=50), builder=builder)) == []


def test_a_key_whose_known_places_fell_silent_has_moved_and_grown() -> None:
    builder = _organisation().change(DAY, lambda _, c: replace(c, requests=50) if c.key_id == "k1" else c)
    assert _strangers(_came(replace(STRANGER, requests=900), builder=builder)) == []


def test_a_place_that_several_keys_come_to_at_once_is_no_stranger() -> None:
    cells = [replace(STRANGER, key_id=key, team=f"t{key}") for key in KEYS[:3]]
    assert _strangers(_came(*cells)) == []
    assert len(_strangers(_came(*cells[:2]))) == 2


def test_a_new_key_has_no_strangers() -> None:
    assert _strangers(_came(replace(STRANGER, key_id="k9"))) == []


def test_usage_that_names_no_client_is_no_stranger() -> None:
    assert _strangers(_came(replace(STRANGER, region="us-east-1", client="UNALLOCATED"))) == []


def test_a_stranger_is_told_from_a_roll_over_of_the_same_key() -> None:
    def rolled_over(_: datetime, cell: Cell) -> Cell:
        usual = cell.key_id == "k1" and cell.client == "sdk/1"
        return replace(cell, client="sdk/2") if usual else cell

    found = _strangers(_came(STRANGER).change(DAY, rolled_over))
    assert [s.found.scope.as_dict()["client"] for s in found] == ["curl/8"]
