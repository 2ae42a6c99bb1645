"""What a digest says, in every rendering, against files to be reviewed."""

import json
import re

import pytest
from slack_sdk.models.blocks import Block

from tests import digest_cases
from tests.digest_cases import GOLDEN, GOLDENS
from tokensleuth.slackapp.limits import check


@pytest.mark.parametrize("name", GOLDENS)
def test_a_digest_is_what_its_golden_file_says(name: str) -> None:
    assert GOLDENS[name]() == (GOLDEN / name).read_text("utf-8"), "run make golden and review the change"


def test_no_golden_file_is_left_of_a_digest_that_is_gone() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == set(digest_cases.GOLDENS)


@pytest.mark.parametrize("name", [name for name in GOLDENS if name.endswith("slack.json")])
def test_a_message_keeps_the_limits_of_slack_and_of_its_sdk(name: str) -> None:
    message = json.loads(GOLDENS[name]())
    check(message["blocks"], message["text"])
    assert len(Block.parse_all(message["blocks"])) == len(message["blocks"])


def test_no_name_is_read_as_html_or_markdown() -> None:
    page, text = GOLDENS["organisation.html"](), GOLDENS["organisation.md"]()
    assert "<script" not in page
    assert "<b>" not in page.replace("<dd><b>", "")
    assert "<script" not in text.replace("\\<script", "")


def test_a_page_has_no_script_and_loads_nothing() -> None:
    page = GOLDENS["organisation.html"]()
    assert "script" not in re.sub(r"&lt;script&gt;", "", page)
    assert not re.search(r"""(?:src|srcset|href)=|url\(|@import""", page)
    assert "default-src 'none'" in page
