"""Who somebody is, by how they came in."""

from typing import get_args

import pytest
from pydantic import ValidationError

from playbooks import ActionName
from tests.decision_builders import approver, people, slack, unix, web
from tokensleuth.people import CLASS_OF, Approver, Identity, People, class_of, is_told, token_digest


def test_every_action_of_the_playbooks_has_a_class() -> None:
    assert set(CLASS_OF) == set(get_args(ActionName))
    assert [name for name in CLASS_OF if is_told(name)] == ["fix_price", "notify_owner", "mark_expected"]


@pytest.mark.parametrize("unknown", ["", "delete", "Revoke_Key", "revoke_key "])
def test_an_action_on_no_list_has_no_class(unknown: str) -> None:
    assert class_of(unknown) is None
    assert not is_told(unknown)


def test_one_person_has_one_name_through_every_door() -> None:
    found = people()
    assert {found.person(by) for by in (slack("bob"), web("bob"), unix("bob"))} == {"bob"}


def test_a_stranger_is_called_by_how_they_came_in() -> None:
    assert people().person(Identity("slack", "T9/U9")) == "slack:T9/U9"


def test_no_stranger_can_be_called_like_an_approver() -> None:
    kinds = ("slack", "web", "os", "service")
    strangers = [Identity(kind, name) for kind in kinds for name in ("", "bob", "U0BOB")]  # type: ignore[arg-type]
    called = {str(by): people().person(by) for by in strangers}
    assert [by for by, name in called.items() if name == "bob"] == ["web:bob"]


def test_a_token_is_held_by_its_person_and_by_nobody_else() -> None:
    assert people().holder_of("token of carol") == web("carol")
    for wrong in ("", "token of mallory", "token of carol ", token_digest("token of carol"), "\u00e4"):
        assert people().holder_of(wrong) is None


def test_a_token_that_no_encoding_takes_is_nobodys() -> None:
    assert people().holder_of("\udcff") is None


def test_who_is_off_the_list_may_no_more() -> None:
    assert people().may_still("alice", "revoke_key")
    assert not people(approver("alice", "limit")).may_still("alice", "revoke_key")
    assert not People().may_still("alice", "notify_owner")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "os:root"},
        {"name": "a b"},
        {"name": "alice", "slack": "alice"},
        {"name": "alice", "slack": "B0BOT"},
        {"name": "alice", "os_user": ""},
        {"name": "alice", "web_token_sha256": "secret"},
        {"name": "alice", "web_token_sha256": "A" * 64},
        {"name": "alice", "may": ["everything"]},
        {"name": "alice", "token": "secret"},
    ],
    ids=str,
)
def test_an_approver_that_is_written_wrongly_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Approver.model_validate(wrong)


def test_an_approver_may_nothing_unless_it_is_said() -> None:
    assert Approver(name="alice").may == ()
