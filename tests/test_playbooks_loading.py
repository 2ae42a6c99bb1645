"""Playbooks are data: the shipped ones are whole, and a folder's replace them or stand beside them."""

from pathlib import Path

import pytest

from agent.derived import DERIVED
from agent.signals import FACTS, TAKEN
from ledger.errors import RefusedError
from playbooks import CAUSES, Playbook, WatchedFact, load_playbooks, parse_playbook, read_playbook
from tests.playbook_texts import GOOD

SHIPPED = load_playbooks(facts=FACTS)
BY_TOKENS = ("volume_growth_by_tokens", "volume_drop_by_tokens")
each_shipped = pytest.mark.parametrize("playbook", SHIPPED, ids=lambda p: p.name)


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def refused(folder: Path) -> str:
    with pytest.raises(RefusedError) as caught:
        load_playbooks(folder, facts=FACTS)
    return str(caught.value)


def test_every_cause_has_one_shipped_playbook_of_its_name() -> None:
    assert tuple(p.name for p in SHIPPED if p.name not in BY_TOKENS) == CAUSES
    assert all(p.cause == p.name.removesuffix("_by_tokens") for p in SHIPPED)


def test_what_is_told_by_tokens_is_told_only_where_requests_are_not_known() -> None:
    asked = {p.name: [rule.fact for rule in p.only_when] for p in SHIPPED if p.only_when}
    assert tuple(asked) == BY_TOKENS
    assert all("requests_unknown" in facts for facts in asked.values())


@each_shipped
def test_every_shipped_threshold_says_where_it_comes_from(playbook: Playbook) -> None:
    assert [rule.fact for rule in playbook.rules if len(rule.source) < 10] == []


@each_shipped
def test_every_shipped_sign_says_what_its_absence_means(playbook: Playbook) -> None:
    assert [rule.fact for rule in playbook.confirms if not rule.why_not] == []


@each_shipped
def test_a_reason_is_a_clause_that_other_words_can_lead_to(playbook: Playbook) -> None:
    said = [text for rule in playbook.rules for text in (rule.why, rule.why_not) if text]
    assert [text for text in said if text[0].isupper() or text.endswith(".") or "they come" in text] == []


@each_shipped
def test_the_text_for_people_and_the_model_is_short_and_whole(playbook: Playbook) -> None:
    headings = [line for line in playbook.body.splitlines() if line.startswith("#")]
    wanted = ["## What to look at", "## Do not confuse with", "## Order of measures"]
    assert headings[1:] == wanted
    assert 60 < len(playbook.body.split()) < 200


@each_shipped
def test_whoever_is_to_act_is_told(playbook: Playbook) -> None:
    assert bool(playbook.tell) == (playbook.name != "normal_variation")


def test_the_end_of_a_case_can_be_watched_unless_only_a_person_can_tell() -> None:
    told_by_people = {"new_workload", "normal_variation", "unknown"}
    assert {p.name for p in SHIPPED if p.verify_when is None} == told_by_people


def test_a_watched_fact_is_one_that_evidence_gives() -> None:
    assert set(WatchedFact.__args__) <= {*TAKEN, *DERIVED}  # type: ignore[attr-defined]


def test_what_is_watched_does_not_hold_while_the_cause_does() -> None:
    for playbook in SHIPPED:
        watch = playbook.verify_when
        for rule in playbook.confirms if watch else ():
            if watch and rule.fact == watch.fact and rule.op != watch.op:
                assert watch.value <= rule.value if watch.op == "at_most" else watch.value >= rule.value


def test_a_folder_without_a_playbook_changes_nothing(tmp_path: Path) -> None:
    written(tmp_path, "README.md", "# Ours")
    written(tmp_path, "notes.txt", "x")
    written(tmp_path, ".draft.md", "x")
    assert load_playbooks(tmp_path, facts=FACTS) == SHIPPED


def test_a_file_of_a_shipped_name_replaces_that_playbook(tmp_path: Path) -> None:
    written(tmp_path, "retry_storm.md", GOOD)
    found = load_playbooks(tmp_path, facts=FACTS)
    assert {p.name for p in found} == {p.name for p in SHIPPED}
    assert [p.title for p in found if p.cause == "retry_storm"] == ["Sent again"]
    assert [p.name for p in found if p.origin == "folder"] == ["retry_storm"]


def test_a_file_of_another_name_stands_before_the_shipped_playbook_of_its_cause(tmp_path: Path) -> None:
    written(tmp_path, "impatient_client.md", GOOD)
    found = load_playbooks(tmp_path, facts=FACTS)
    assert [p.name for p in found if p.cause == "retry_storm"] == ["impatient_client", "retry_storm"]
    assert len(found) == len(SHIPPED) + 1


def test_a_replacement_keeps_its_cause(tmp_path: Path) -> None:
    path = written(tmp_path, "key_leak.md", GOOD)
    assert refused(tmp_path).startswith(f"{path}:2: cause = 'retry_storm': a file of this name replaces")


def test_unknown_is_no_cause_to_add_to(tmp_path: Path) -> None:
    text = GOOD.replace('"retry_storm"', '"unknown"').replace('"confirmed"', '"inconclusive"')
    path = written(tmp_path, "riddle.md", text)
    assert refused(tmp_path).startswith(f"{path}:2: cause = 'unknown': only unknown.md")


def test_all_that_is_wrong_in_a_folder_is_told_at_once(tmp_path: Path) -> None:
    written(tmp_path, "a.md", GOOD.replace("weight = 3", "weight = 30"))
    written(tmp_path, "b.md", "nothing")
    written(tmp_path, "Month-End.md", GOOD)
    told = refused(tmp_path).splitlines()
    assert [line.split(":")[1] for line in told] == ["1", "14", "1"]


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "none") == f"playbooks.folder = {tmp_path}/none: is no folder"


def test_a_file_that_is_no_text_is_refused_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(b"+++\n\xff\n+++\n")
    with pytest.raises(RefusedError, match=r"a\.md:2: is not UTF-8"):
        read_playbook(path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"none\.md:1: cannot be read: No such file"):
        read_playbook(tmp_path / "none.md")


def test_a_file_written_on_windows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "retry_storm.md"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert read_playbook(path).body == parse_playbook(GOOD, "retry_storm.md").body
