"""The owner map: the first rule whose globs all match names the team."""

import pytest
from pydantic import ValidationError

from ledger.owners import OwnerRule, owner_of
from ledger.scope import UNALLOCATED

RULES = (
    OwnerRule(team="search", key_id="key_search_*"),
    OwnerRule(team="ads", provider="azure", project="ads-*"),
    OwnerRule(team="people", user="*@people.example"),
)


def owner(*, provider: str = "openai", project: str = "", key_id: str = "", user: str = "") -> str:
    return owner_of(RULES, provider=provider, project=project, key_id=key_id, user=user)


def test_a_key_is_matched_by_glob() -> None:
    assert owner(key_id="key_search_7") == "search"


def test_every_glob_of_a_rule_must_match() -> None:
    assert owner(provider="azure", project="ads-eu") == "ads"
    assert owner(provider="openai", project="ads-eu") == UNALLOCATED


def test_the_first_rule_that_matches_wins() -> None:
    assert owner(key_id="key_search_7", user="ann@people.example") == "search"


def test_case_counts() -> None:
    assert owner(key_id="KEY_SEARCH_7") == UNALLOCATED


def test_what_no_rule_names_is_unallocated() -> None:
    assert owner() == UNALLOCATED
    assert owner_of((), provider="openai", project="p", key_id="k", user="u") == UNALLOCATED


@pytest.mark.parametrize("wrong", [{"team": ""}, {"team": "a", "key": "k*"}, {"key_id": "k*"}])
def test_a_rule_without_a_team_or_with_an_unknown_name_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        OwnerRule.model_validate(wrong)
