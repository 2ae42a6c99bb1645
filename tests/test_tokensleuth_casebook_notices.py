from datetime import UTC, datetime, timedelta

from tokensleuth.casebook import Casebook
from tokensleuth.casebook.notices import (
    KeptNotice,
    Level,
    Notice,
    keep_notices,
    notice_of,
    notices_since,
    open_notices,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def stopped(subject: str, *, severity: Level = "high", line: str = "") -> Notice:
    lines = (line,) if line else ()
    return Notice("data_stopped", subject, severity, f"{subject} stopped", lines, facts={"hours": 3})


def keep(casebook: Casebook, *notices: Notice, at: datetime = NOW) -> None:
    with casebook.writing() as connection:
        keep_notices(connection, ["data_stopped"], notices, at)


def opened(casebook: Casebook) -> list[KeptNotice]:
    with casebook.reading() as connection:
        return list(open_notices(connection))


def test_a_notice_stays_the_same_for_as_long_as_it_holds(casebook: Casebook) -> None:
    keep(casebook, stopped("openai"))
    first = opened(casebook)[0]
    keep(casebook, stopped("openai", severity="low", line="still"), at=NOW + HOUR)
    (same,) = opened(casebook)
    assert (same.id, same.opened_at) == (first.id, NOW)
    assert (same.notice.severity, same.notice.lines) == ("low", ("still",))


def test_what_holds_no_more_is_closed_and_opens_anew(casebook: Casebook) -> None:
    keep(casebook, stopped("openai"), stopped("litellm"))
    keep(casebook, stopped("litellm"), at=NOW + HOUR)
    assert [kept.notice.subject for kept in opened(casebook)] == ["litellm"]
    keep(casebook, stopped("openai"), stopped("litellm"), at=NOW + 2 * HOUR)
    with casebook.reading() as connection:
        told = notices_since(connection, NOW)
    of_openai = [(kept.opened_at, kept.closed_at) for kept in told if kept.notice.subject == "openai"]
    assert of_openai == [(NOW, NOW + HOUR), (NOW + 2 * HOUR, None)]
    assert len({kept.id for kept in told}) == 3


def test_notices_of_other_kinds_are_left_alone(casebook: Casebook) -> None:
    keep(casebook, stopped("openai"))
    with casebook.writing() as connection:
        keep_notices(connection, ["budget"], [], NOW + HOUR)
    assert len(opened(casebook)) == 1


def test_a_notice_is_found_by_its_id_with_all_that_was_said(casebook: Casebook) -> None:
    keep(casebook, stopped("openai", line="no rows since 09:00"))
    (kept,) = opened(casebook)
    with casebook.reading() as connection:
        assert notice_of(connection, kept.id) == kept
        assert notice_of(connection, "notice_none") is None
    assert kept.as_json()["lines"] == ["no rows since 09:00"]
    assert kept.as_json()["closed_at"] is None
