"""Reports page by page: buckets of the width asked for, inside the window asked for, and an end to pages."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from ledger.sources.told import Bucket, hour_of
from ledger.window import Window, instant_text
from tokensleuth.gateways.port import RefusedCallError
from tokensleuth.gateways.shapes import ProviderAnswer, taken

MAX_PAGES = 400
"""Of one window; a server that always says there is more must not hold a sync for ever."""


class _Page(ProviderAnswer):
    data: list[JsonValue]
    has_more: bool = False
    next_page: str | None = None


class _UnixBucket(ProviderAnswer):
    start_time: int
    end_time: int
    results: list[JsonValue]


class _TextBucket(ProviderAnswer):
    starting_at: str
    ending_at: str
    results: list[JsonValue]


def unix_bucket(source: str, stream: str, told: JsonValue, where: str) -> Bucket:
    """As OpenAI writes it."""
    found = taken(_UnixBucket, told, where)
    try:
        window = Window(hour_of(found.start_time), hour_of(found.end_time))
    except ValueError as error:
        raise RefusedCallError(f"{where}: a bucket is of no time: {error}") from None
    return Bucket(source, stream, window, tuple(found.results))


def text_bucket(source: str, stream: str, told: JsonValue, where: str) -> Bucket:
    """As Anthropic writes it."""
    found = taken(_TextBucket, told, where)
    window = Window(_instant(found.starting_at, where), _instant(found.ending_at, where))
    return Bucket(source, stream, window, tuple(found.results))


def report_pages(ask: Callable[[str | None], JsonValue], where: str) -> Iterator[JsonValue]:
    """The buckets of every page, asked for by the cursor of the page before."""
    cursor: str | None = None
    seen: set[str] = set()
    for _ in range(MAX_PAGES):
        page = taken(_Page, ask(cursor), where)
        yield from page.data
        if not page.has_more:
            return
        cursor = page.next_page
        if not cursor:
            raise RefusedCallError(f"{where}: there is more, by the answer, but it names no next_page")
        if cursor in seen:
            raise RefusedCallError(f"{where}: the pages go in a circle, {cursor[:60]!r} comes again")
        seen.add(cursor)
    raise RefusedCallError(f"{where}: more than {MAX_PAGES} pages for one window: it seems to have no end")


class _Listed(ProviderAnswer):
    data: list[JsonValue]
    has_more: bool = False
    last_id: str | None = None


def listed(ask: Callable[[str | None], JsonValue], where: str) -> Iterator[JsonValue]:
    """The items of a list, each page asked for by what it comes after."""
    after: str | None = None
    seen: set[str] = set()
    for _ in range(MAX_PAGES):
        page = taken(_Listed, ask(after), where)
        yield from page.data
        after = page.last_id
        if not page.has_more or not after:
            return
        if after in seen:
            raise RefusedCallError(f"{where}: the pages go in a circle, {after[:60]!r} comes again")
        seen.add(after)
    raise RefusedCallError(f"{where}: more than {MAX_PAGES} pages: it seems to have no end")


def within(found: Iterator[Bucket], window: Window, width: timedelta, where: str) -> Iterator[Bucket]:
    """The buckets of the window. Others are left out: what ends after it is still open or not asked for."""
    for bucket in found:
        told = bucket.window
        if told.end_at - told.start_at != width and told.end_at <= window.end_at:
            raise RefusedCallError(
                f"{where}: a bucket from {instant_text(told.start_at)} to {instant_text(told.end_at)} where "
                f"buckets of {width} were asked for"
            )
        if window.start_at <= told.start_at and told.end_at <= window.end_at:
            yield bucket


def _instant(text: str, where: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise RefusedCallError(f"{where}: a bucket starts or ends at {text!r}, which is no instant") from None
