import pytest
from slack_sdk.models.blocks import Block

from tests import slack_cases
from tests.slack_cases import GOLDEN, MESSAGES, golden_text
from tokensleuth.slackapp.limits import check


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_what_its_golden_file_says(name: str) -> None:
    assert golden_text(name) == (GOLDEN / f"{name}.json").read_text(), "run make golden and review the change"


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_keeps_the_limits_of_slack_and_of_its_sdk(name: str) -> None:
    message = MESSAGES[name]()
    check(message.blocks, message.text)
    parsed = [Block.parse(block) for block in message.blocks]
    assert [block.to_dict()["type"] for block in parsed if block] == [b["type"] for b in message.blocks]


def test_no_golden_file_is_left_of_a_message_that_is_gone() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {*slack_cases.MESSAGES, "incidents"}
