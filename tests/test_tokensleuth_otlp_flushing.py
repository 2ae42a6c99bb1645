from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ledger.errors import RefusedError
from tests.otlp_cases import HOUR, START, OtlpDesk, Series, otlp_desk
from tokensleuth.connectors.syncing import Into
from tokensleuth.otlp.flushing import flush_spool
from tokensleuth.otlp.settings import BookedSignal
from tokensleuth.otlp.spool import open_spool

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[OtlpDesk]:
    with otlp_desk(tmp_path) as opened:
        yield opened


def sent(desk: OtlpDesk, series: Series, tokens: int, start: datetime, end: datetime, calls: int = 1) -> None:
    answer = desk.post(series.request(series.point("input", tokens, start, end, calls=calls)))
    assert (answer.status_code, answer.text) == (200, "{}")


def test_delta_points_of_an_hour_are_summed_and_calls_counted_once(desk: OtlpDesk) -> None:
    delta = Series()
    for minute in range(3):
        start = START + minute * MINUTE
        desk.post(
            delta.request(
                delta.point("input", 100, start, start + MINUTE, calls=2),
                delta.point("output", 10, start, start + MINUTE, calls=2),
            )
        )
    desk.flush(START + HOUR)
    assert desk.total() == (6, 300, 30)
    assert desk.rows("provider, model, client") == [("openai", "gpt-4o", "checkout")]


def test_the_open_hour_is_never_loaded(desk: OtlpDesk) -> None:
    sent(desk, Series(), 100, START, START + MINUTE)
    assert desk.flush(START + HOUR - MINUTE).complete_until == START
    assert desk.rows() == []
    desk.flush(START + HOUR)
    assert desk.total() == (1, 100, 0)


def test_a_late_point_restates_its_hour_with_a_larger_sum(desk: OtlpDesk) -> None:
    sent(desk, Series(), 100, START, START + MINUTE)
    assert desk.flush(START + HOUR).result.new == 1
    sent(desk, Series(), 7, START + MINUTE, START + 2 * MINUTE)
    late = desk.flush(START + 3 * HOUR).result
    assert (late.new, late.restated) == (0, 1)
    assert desk.total() == (2, 107, 0)


def test_the_same_request_again_counts_once(desk: OtlpDesk) -> None:
    for _ in range(3):
        sent(desk, Series(), 100, START, START + MINUTE)
    desk.flush(START + HOUR)
    sent(desk, Series(), 100, START, START + MINUTE)
    assert desk.flush(START + HOUR).result.read == 0
    assert desk.total() == (1, 100, 0)


def test_cumulative_points_count_by_their_difference(desk: OtlpDesk) -> None:
    web = Series(cumulative=True)
    for minute, tokens in ((10, 100), (55, 150), (70, 180)):
        sent(desk, web, tokens, START, START + minute * MINUTE, calls=minute)
    desk.flush(START + 2 * HOUR)
    assert desk.rows("hour, input_tokens, requests") == [
        (START.replace(tzinfo=None), 150, 55),
        ((START + HOUR).replace(tzinfo=None), 30, 15),
    ]


def test_the_state_of_a_series_outlives_a_restart(tmp_path: Path) -> None:
    web = Series(cumulative=True)
    with otlp_desk(tmp_path) as desk:
        sent(desk, web, 100, START, START + 10 * MINUTE)
        desk.flush(START + HOUR)
    with otlp_desk(tmp_path, born=START + DAY) as desk:
        sent(desk, web, 130, START, START + 20 * MINUTE)
        desk.flush(START + HOUR)
        assert desk.total()[1] == 130


def test_a_new_start_time_is_a_restart_that_counts_from_zero(desk: OtlpDesk) -> None:
    web = Series(cumulative=True)
    sent(desk, web, 100, START, START + 10 * MINUTE)
    sent(desk, web, 40, START + 12 * MINUTE, START + 15 * MINUTE)
    sent(desk, web, 50, START + 12 * MINUTE, START + 16 * MINUTE)
    desk.flush(START + HOUR)
    assert desk.total()[1] == 150


def test_processes_that_share_a_name_do_not_reset_each_other(desk: OtlpDesk) -> None:
    web, other = Series(cumulative=True), START + MINUTE
    for minute in range(2, 8):
        sent(desk, web, 100 * minute, START, START + minute * MINUTE)
        sent(desk, web, 10 * minute, other, START + minute * MINUTE)
    desk.flush(START + HOUR)
    assert desk.total()[1] == 770


def test_a_fall_with_the_same_start_is_a_reset_and_is_told(desk: OtlpDesk) -> None:
    web = Series(cumulative=True)
    sent(desk, web, 100, START, START + 10 * MINUTE)
    sent(desk, web, 30, START, START + 11 * MINUTE)
    warnings = desk.flush(START + HOUR).result.warnings
    assert desk.total()[1] == 130
    assert any("taken as a new count" in warning for warning in warnings)


def test_an_older_cumulative_point_changes_nothing(desk: OtlpDesk) -> None:
    web = Series(cumulative=True)
    sent(desk, web, 100, START, START + 10 * MINUTE)
    sent(desk, web, 60, START, START + 5 * MINUTE)
    desk.flush(START + HOUR)
    assert desk.total()[1] == 100


def test_what_a_process_counted_before_the_spool_is_left_out_and_told(desk: OtlpDesk) -> None:
    web, long_ago = Series(cumulative=True), START - DAY
    sent(desk, web, 1_000_000, long_ago, START + MINUTE)
    sent(desk, web, 1_000_050, long_ago, START + 2 * MINUTE)
    warnings = desk.flush(START + HOUR).result.warnings
    assert desk.total()[1] == 50
    assert any("began before the spool" in warning for warning in warnings)


def test_a_series_that_is_new_in_a_process_known_before_counts_whole(desk: OtlpDesk) -> None:
    long_ago = START - DAY
    sent(desk, Series(cumulative=True), 1_000_000, long_ago, START + 61 * MINUTE)
    sent(desk, Series(cumulative=True, model="gpt-5"), 70, long_ago, START + 62 * MINUTE)
    desk.flush(START + 2 * HOUR)
    assert desk.rows("hour, model, input_tokens") == [((START + HOUR).replace(tzinfo=None), "gpt-5", 70)]


def test_a_point_over_several_hours_is_spread_and_its_sum_kept(desk: OtlpDesk) -> None:
    web = Series(cumulative=True)
    sent(desk, web, 1001, START + 30 * MINUTE, START + 3 * HOUR)
    warnings = desk.flush(START + 3 * HOUR).result.warnings
    assert [row[1] for row in desk.rows()] == [200, 400, 401]
    assert any("spread evenly" in warning for warning in warnings)


def test_points_later_than_the_hours_are_kept_are_added_not_lost(desk: OtlpDesk) -> None:
    sent(desk, Series(), 100, START, START + MINUTE)
    desk.clock[0] = START + 10 * DAY
    desk.flush(START + 10 * DAY, keep=2 * DAY)
    for number in range(2):
        sent(desk, Series(), 7, START + (number + 1) * MINUTE, START + (number + 2) * MINUTE)
        desk.flush(START + 10 * DAY, keep=2 * DAY)
    assert desk.total() == (3, 114, 0)


def test_a_lost_spool_does_not_take_back_what_was_loaded(tmp_path: Path) -> None:
    web = Series(cumulative=True)
    with otlp_desk(tmp_path) as desk:
        sent(desk, web, 100, START, START + 10 * MINUTE)
        desk.flush(START + HOUR)
    (tmp_path / "spool.sqlite").unlink()
    with otlp_desk(tmp_path, born=START + HOUR) as desk:
        sent(desk, web, 130, START, START + 20 * MINUTE)
        sent(desk, web, 140, START, START + 30 * MINUTE)
        desk.flush(START + 2 * HOUR)
        assert desk.total()[1] == 110


USED: dict[str, str | int] = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 9}


def told_both(desk: OtlpDesk, series: Series) -> None:
    sent(desk, series, 120, START, START + MINUTE)
    desk.post(series.spans(series.span(1, START, USED)), signal="traces")


@pytest.mark.parametrize(
    ("signal", "total"), [("auto", (1, 120, 0)), ("metrics", (1, 120, 0)), ("spans", (1, 100, 9))]
)
def test_of_a_client_that_sends_both_one_signal_is_booked(
    desk: OtlpDesk, signal: BookedSignal, total: tuple[int, int, int]
) -> None:
    told_both(desk, Series())
    outcome = desk.flush(START + HOUR, signal=signal)
    assert desk.total() == total
    assert any("1 spans of checkout are not booked" in w for w in outcome.result.warnings) == (
        signal != "spans"
    )


def test_spans_of_a_client_without_metrics_are_booked(desk: OtlpDesk) -> None:
    sent(desk, Series(), 120, START, START + MINUTE)
    batch = Series(service="batch")
    desk.post(batch.spans(batch.span(1, START, USED)), signal="traces")
    desk.flush(START + HOUR)
    assert desk.total() == (2, 220, 9)


def test_metrics_that_come_after_the_spans_were_loaded_take_their_place(desk: OtlpDesk) -> None:
    web = Series()
    desk.post(web.spans(web.span(1, START, USED)), signal="traces")
    desk.flush(START + HOUR)
    assert desk.total() == (1, 100, 9)
    sent(desk, web, 120, START, START + MINUTE)
    desk.flush(START + HOUR)
    assert desk.total() == (1, 120, 0)


def test_another_signal_holds_from_the_first_hour_that_is_not_loaded(desk: OtlpDesk) -> None:
    told_both(desk, Series())
    desk.flush(START + HOUR, signal="metrics")
    desk.flush(START + HOUR, signal="spans")
    desk.post(
        Series().spans(Series().span(2, START, USED), Series().span(3, START + HOUR, USED)),
        signal="traces",
    )
    desk.flush(START + 2 * HOUR, signal="spans")
    assert [row[1] for row in desk.rows()] == [120, 100]


def test_the_outer_of_two_nested_calls_is_not_counted_even_if_it_came_first(desk: OtlpDesk) -> None:
    web = Series()
    desk.post(web.spans(web.span(1, START, USED)), signal="traces")
    desk.flush(START + HOUR)
    desk.post(web.spans(web.span(2, START, USED, parent=1)), signal="traces")
    desk.flush(START + HOUR)
    assert desk.total() == (1, 100, 9)


def test_a_span_that_comes_again_in_another_request_counts_once(desk: OtlpDesk) -> None:
    web = Series()
    desk.post(web.spans(web.span(1, START, USED)), signal="traces")
    desk.post(web.spans(web.span(1, START, USED), web.span(2, START, failed=True)), signal="traces")
    desk.flush(START + HOUR)
    assert desk.rows("requests, failed_requests, input_tokens") == [(2, 1, 100)]


def test_what_was_rejected_is_told_once_with_its_reason(desk: OtlpDesk) -> None:
    web = Series()
    desk.post(web.request(web.point("input", -5, START, START + MINUTE)))
    result = desk.flush(START + HOUR).result
    assert (result.read, result.rejected, result.errors[0].column) == (1, 1, "sum")
    assert desk.flush(START + HOUR).result.read == 0


def test_an_empty_spool_marks_nothing_as_complete(desk: OtlpDesk) -> None:
    assert desk.flush(START + HOUR).complete_until is None


def test_a_file_that_is_no_spool_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    path.write_text("something else that is long enough to be looked at " * 20)
    with pytest.raises(RefusedError, match="is no OTLP spool"), open_spool(path, START):
        pass


class KilledError(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


def test_a_flush_that_ends_before_the_ledger_is_open_loses_nothing(desk: OtlpDesk) -> None:
    sent(desk, Series(), 100, START, START + MINUTE)

    def killed() -> "nullcontext[object]":
        raise KilledError

    into = desk.into()
    broken = Into(killed, into.folder, into.book, into.attribution, (), into.tags)  # type: ignore[arg-type]
    with pytest.raises(KilledError):
        flush_spool(desk.spool, broken, START + 2 * HOUR)
    desk.flush(START + 2 * HOUR)
    assert desk.total() == (1, 100, 0)


def test_rows_that_were_loaded_and_not_marked_are_duplicates_the_next_time(desk: OtlpDesk) -> None:
    told_both(desk, Series())
    desk.post(Series(service="batch").spans(Series().span(2, START, USED)), signal="traces")
    desk.flush(START + HOUR)
    before = desk.total()
    with desk.spool.writing() as connection:
        connection.execute("update hours set loaded = 0")
        connection.execute("update spans set loaded = 0")
    result = desk.flush(START + HOUR).result
    assert (result.new, result.duplicate, result.restated) == (0, 2, 0)
    assert desk.total() == before
