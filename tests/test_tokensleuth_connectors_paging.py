from collections.abc import Iterator

import pytest
from pydantic import JsonValue

from ledger.sources.told import Bucket
from ledger.window import Window
from tests.sync_cases import HOUR, hour
from tokensleuth.connectors.paging import listed, report_pages, text_bucket, unix_bucket, within
from tokensleuth.connectors.patience import Patience
from tokensleuth.connectors.port import steps
from tokensleuth.gateways.port import NotSentError, RefusedCallError


def pages(*answers: JsonValue) -> Iterator[JsonValue]:
    found = iter(answers)
    return report_pages(lambda _cursor: next(found), "the report")


def test_pages_are_asked_for_by_the_cursor_of_the_one_before() -> None:
    asked: list[str | None] = []

    def ask(cursor: str | None) -> JsonValue:
        asked.append(cursor)
        return {"data": [len(asked)], "has_more": len(asked) < 3, "next_page": f"p{len(asked)}"}

    assert list(report_pages(ask, "the report")) == [1, 2, 3]
    assert asked == [None, "p1", "p2"]


def test_more_without_a_cursor_is_refused() -> None:
    with pytest.raises(RefusedCallError, match="names no next_page"):
        list(pages({"data": [], "has_more": True, "next_page": None}))


def test_an_answer_of_another_shape_says_which_field() -> None:
    with pytest.raises(NotSentError, match="the report: the answer has another shape, data"):
        list(pages({"object": "page"}))


def test_a_list_that_goes_in_a_circle_is_refused() -> None:
    with pytest.raises(RefusedCallError, match="go in a circle"):
        list(listed(lambda _after: {"data": [1], "has_more": True, "last_id": "a"}, "keys"))


def test_a_bucket_of_no_time_is_refused() -> None:
    told: JsonValue = {"start_time": 10**18, "end_time": 10**18 + 3600, "results": []}
    with pytest.raises(RefusedCallError, match="is of no time"):
        unix_bucket("openai", "completions", told, "the report")
    told = {"starting_at": "yesterday", "ending_at": "2026-11-01T00:00:00Z", "results": []}
    with pytest.raises(RefusedCallError, match="'yesterday', which is no instant"):
        text_bucket("anthropic", "messages", told, "the report")


def test_only_whole_buckets_inside_the_window_are_taken() -> None:
    def bucket(start: int, end: int) -> Bucket:
        return Bucket("openai", "completions", Window(hour(start), hour(end)), ())

    found = within(iter([bucket(4, 3), bucket(3, 2), bucket(2, 1)]), Window(hour(3), hour(2)), HOUR, "it")
    assert [b.window.start_at for b in found] == [hour(3)]
    with pytest.raises(RefusedCallError, match="where buckets of 1:00:00 were asked for"):
        list(within(iter([bucket(3, 1)]), Window(hour(3), hour(1)), HOUR, "it"))


def test_a_window_is_cut_into_steps_without_gaps() -> None:
    parts = list(steps(Window(hour(10), hour(3)), 3 * HOUR))
    assert [(p.start_at, p.end_at) for p in parts] == [
        (hour(10), hour(7)),
        (hour(7), hour(4)),
        (hour(4), hour(3)),
    ]


def test_patience_ends() -> None:
    waited: list[float] = []
    tries = 0

    def ask() -> None:
        nonlocal tries
        tries += 1
        raise NotSentError("down", retry_after_s=3 if tries == 1 else None)

    with pytest.raises(NotSentError, match="down"):
        Patience(tries=4, wait=waited.append).read(ask)
    assert (tries, waited) == (4, [3, 2, 4])
