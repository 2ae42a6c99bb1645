"""Which incidents of two runs are the same, and which of them a label tells of."""

from pathlib import Path

import pytest

from detectors.incidents import Direction, Incident
from ledger.errors import RefusedError
from ledger.scope import EVERYTHING, Scope
from ledger.window import Window
from tests.ledger_builder import at
from tokensleuth.labels import Label, LabelScore, read_labels, score_by_labels
from tokensleuth.matching import SharedSpend, match_incidents

LEAVES = SharedSpend(
    (
        Scope.parse(["team=search", "model=big", "key_id=k1"]),
        Scope.parse(["team=search", "model=small", "key_id=k2"]),
        Scope.parse(["team=mobile", "model=big", "key_id=k3"]),
    )
)


def incident(scope: str, start: int, end: int, direction: Direction = "up") -> Incident:
    window = Window(at(0, start), at(0, end))
    return Incident(window, scope_of(scope), direction, expected_usd=1.0, actual_usd=5.0, spikes=(0,))


def label(scope: str, start: int, end: int) -> Label:
    return Label(scope_of(scope), Window(at(0, start), at(0, end)))


def scope_of(text: str) -> Scope:
    return Scope.parse(text.split(",")) if text else EVERYTHING


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("team=search", "team=search"),
        ("team=search", "team=search,key_id=k1"),
        ("", "key_id=k3"),
        ("key_id=k1", "team=search,model=big"),
        ("model=big", "team=mobile"),
    ],
)
def test_incidents_of_one_time_that_share_spend_are_the_same(first: str, second: str) -> None:
    matching = match_incidents([incident(first, 0, 6)], [incident(second, 3, 9)], LEAVES)
    assert len(matching.kept) == 1
    assert not matching.lost
    assert not matching.gained


@pytest.mark.parametrize(
    "other",
    [
        incident("key_id=k1", 6, 9),
        incident("key_id=k1", 0, 6, "down"),
        incident("key_id=k2", 0, 6),
        incident("team=mobile", 0, 6),
    ],
    ids=["later", "other direction", "other key", "other team"],
)
def test_other_incidents_are_lost_and_gained(other: Incident) -> None:
    before = incident("key_id=k1", 0, 6)
    matching = match_incidents([before], [other], LEAVES)
    assert (matching.kept, matching.lost, matching.gained) == ((), (before,), (other,))


def test_an_incident_is_paired_once_and_the_rest_of_it_is_lost() -> None:
    halves = [incident("key_id=k1", 0, 4), incident("key_id=k1", 5, 12)]
    whole = incident("key_id=k1", 0, 12)
    matching = match_incidents(halves, [whole], LEAVES)
    assert matching.kept == ((halves[1], whole),)
    assert matching.lost == (halves[0],)


def test_the_same_scope_goes_before_the_larger_part_in_common() -> None:
    key, team = incident("team=search,key_id=k1", 0, 6), incident("team=search", 0, 3)
    matching = match_incidents([team], [key, incident("team=search", 2, 12)], LEAVES)
    assert matching.kept[0].after.scope == team.scope
    assert matching.gained == (key,)


def test_a_label_is_hit_by_any_incident_of_its_time_and_spend_in_either_direction() -> None:
    found = [incident("team=search", 0, 4), incident("key_id=k1", 8, 9, "down"), incident("key_id=k3", 0, 4)]
    score = score_by_labels(found, [label("key_id=k1", 2, 9), label("key_id=k2", 20, 22)], LEAVES)
    assert score.hits == (True, False)
    assert score.false_alarms == (False, False, True)
    assert score.precision == pytest.approx(2 / 3)
    assert score.recall == 0.5


def test_of_nothing_there_is_no_precision_and_no_recall() -> None:
    assert (LabelScore((), ()).precision, LabelScore((), ()).recall) == (None, None)


def labels_file(folder: Path, text: str) -> Path:
    path = folder / "labels.json"
    path.write_text(text, "utf-8")
    return path


def test_labels_are_read_with_their_kind_and_other_fields_are_let_be(tmp_path: Path) -> None:
    text = """[
        {"scope": {"key": "k1"}, "start_at": "2026-10-05T02:00:00+02:00", "end_at": "2026-10-05T06:00:00Z"},
        {"scope": {}, "start_at": "2026-10-05T00:00:00Z", "end_at": "2026-10-05T06:00:00Z",
         "cause": "key_leak", "delta_usd": "3.00"}
    ]"""
    first, second = read_labels(labels_file(tmp_path, text))
    assert first == label("key_id=k1", 0, 6)
    assert (second.scope, second.kind) == (EVERYTHING, "key_leak")


INSTANTS = '"start_at": "2026-10-05T06:00:00Z", "end_at": "2026-10-05T06:00:00Z"'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nonsense", "not JSON: Expecting value"),
        ("{}", r"the document: input should be a valid list; labels are \[\{"),
        ('[{"scope": {}}]', "0.start_at: field required"),
        (
            '[{"scope": {}, "start_at": "2026-10-05T06:00:00", "end_at": 3}]',
            "0.start_at: input should have t",
        ),
        (f'[{{"scope": {{"squad": "x"}}, {INSTANTS}}}]', "unknown dimension `squad`; known are provider"),
        (f'[{{"scope": {{}}, {INSTANTS}}}]', "the range ends at 2026-10-05T06:00:00Z, not after its start"),
    ],
)
def test_wrong_labels_are_refused_with_the_file_and_the_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(RefusedError, match=rf"labels.json: {told}"):
        read_labels(labels_file(tmp_path, text))


def test_a_file_of_labels_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"none\.json: cannot be read: No such file"):
        read_labels(tmp_path / "none.json")
