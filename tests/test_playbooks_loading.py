"""Playbooks are data: a wrong one is refused with file, line and field."""

from pathlib import Path

import pytest

from ledger.errors import RefusedError
from playbooks import CAUSES, load_playbooks, parse_playbook

GOOD = """+++
cause = "retry_storm"
verdict = "confirmed"
title = "Retry storm"
summary = "Requests are sent again and again."
actions = ["notify_owner"]
owner_text = "{scope} cost {delta_usd} more, {window}"
verify = "The share of retries is usual."

[[confirms]]
fact = "retried_share_rise"
op = "at_least"
value = 0.1
weight = 3
why = "more retries"
+++
# For people
"""


def test_every_cause_has_one_playbook() -> None:
    assert tuple(p.cause for p in load_playbooks()) == CAUSES


def test_every_playbook_tells_people_what_it_is() -> None:
    assert all(len(p.body) > 100 for p in load_playbooks())


def test_an_irreversible_action_is_never_the_first_choice() -> None:
    assert all("revoke_key" not in p.actions[:1] for p in load_playbooks())


@pytest.mark.parametrize(("cause", "verdict"), [("unknown", "inconclusive"), ("normal_variation", "benign")])
def test_the_verdicts_of_the_contract(cause: str, verdict: str) -> None:
    assert {p.cause: p.verdict for p in load_playbooks()}[cause] == verdict  # type: ignore[index]


def test_a_good_playbook_is_read() -> None:
    playbook = parse_playbook(GOOD, "retry_storm.md")
    assert playbook.body == "# For people"
    assert playbook.confirms[0].holds(0.1)
    assert not playbook.confirms[0].holds(0.05)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('op = "at_least"', 'op = "about"', "retry_storm.md:12: confirms.0.op"),
        ("weight = 3", "weight = 30", "retry_storm.md:14: confirms.0.weight"),
        ('cause = "retry_storm"', 'cause = "retries"', "retry_storm.md:2: cause"),
        ("{scope} cost", "{key} cost", "retry_storm.md:7: owner_text"),
        ("weight = 3", "weight = ", "retry_storm.md:14"),
        ('verify = "The', 'verfy = "The', "verify"),
        ("+++\ncause", "cause", "retry_storm.md:1"),
    ],
)
def test_a_wrong_playbook_is_refused_by_line_and_field(old: str, new: str, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        parse_playbook(GOOD.replace(old, new), "retry_storm.md")


def test_a_folder_must_hold_every_cause(tmp_path: Path) -> None:
    (tmp_path / "retry_storm.md").write_text(GOOD)
    with pytest.raises(RefusedError, match="volume_growth"):
        load_playbooks(tmp_path)
