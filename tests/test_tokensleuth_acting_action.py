"""A stored proposal becomes an action only where all of it is on the closed list."""

from typing import get_args

import pytest

from ledger.errors import RefusedError
from playbooks import ActionName
from tests.decision_builders import asked_for
from tokensleuth.acting.action import action_in
from tokensleuth.people import CLASS_OF


@pytest.mark.parametrize("name", get_args(ActionName))
def test_each_action_of_the_list_is_read_back(name: ActionName) -> None:
    action = action_in(asked_for(name))
    assert (action.measure.action, action.kind) == (name, CLASS_OF[name])
    assert action.target.scope.as_dict() == {"team": "search", "key_id": "k1"}
    assert action.is_told is (CLASS_OF[name] == "tell")
    assert action.is_temporary is (CLASS_OF[name] == "limit")


@pytest.mark.parametrize(
    "changed",
    [
        {"action": "delete_everything"},
        {"action": None},
        {"action": "revoke_key", "parameters": {"also": "k2"}},
        {"parameters": {"tokens_per_minute": 0}},
        {"parameters": {"tokens_per_minute": -1}},
        {"parameters": {"tokens_per_minute": 1.5}},
        {"parameters": {"tokens_per_minute": True}},
        {"parameters": {"action": "revoke_key"}},
        {"parameters": ["tokens_per_minute"]},
        {"parameters": None},
        {"target": {"gateway": "elsewhere", "key_id": "k1"}},
        {"target": {"key_id": "k1"}},
        {"target": {"gateway": "litellm", "key_id": ["k1", "k2"]}},
        {"target": {"gateway": "litellm", "planet": "earth"}},
        {"target": None},
    ],
    ids=str,
)
def test_anything_else_is_refused_by_its_id(changed: dict[str, object]) -> None:
    with pytest.raises(RefusedError, match="prop_set_rate_limit is no known action"):
        action_in(asked_for() | changed)
