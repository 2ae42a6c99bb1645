"""The anchor beside the casebook grows with the trail, and never forgets what the trail has lost."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import delete

from ledger.errors import RefusedError
from tests.incident_documents import NOW
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import Anchor, Entry, Verified, append_entry, verify_entries
from tokensleuth.casebook.schema_acts import audit
from tokensleuth.service.anchors import anchor_file, keep_anchor, kept_anchor


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/casebook.sqlite"


@pytest.fixture
def kept(url: str) -> Iterator[Casebook]:
    with Casebook.open(url) as casebook:
        yield casebook


def append(casebook: Casebook, count: int = 1) -> None:
    with casebook.writing() as connection:
        for _ in range(count):
            append_entry(connection, Entry("alice", "approved", uuid4().hex, {}, NOW), casebook.key)


def cut_off(casebook: Casebook, after: int) -> None:
    with casebook.writing() as connection:
        connection.execute(delete(audit).where(audit.c.number > after))


def verified(casebook: Casebook, url: str) -> Verified:
    anchor = kept_anchor(url)
    with casebook.reading() as connection:
        return verify_entries(connection, casebook.key, [anchor] if anchor else [])


def test_there_is_none_at_first(url: str) -> None:
    assert kept_anchor(url) is None


def test_it_grows_with_the_trail(kept: Casebook, url: str) -> None:
    for count in (0, 2, 1):
        append(kept, count)
        assert keep_anchor(kept, url) == kept_anchor(url)
    assert verified(kept, url) == Verified(kept_anchor(url) or Anchor(0, ""))
    assert [path.name for path in Path(url.removeprefix("sqlite:///")).parent.glob("*.anchor")] == [
        "casebook.sqlite.anchor"
    ]


def test_a_cut_off_end_is_told_and_the_anchor_stays(kept: Casebook, url: str) -> None:
    append(kept, 5)
    whole = keep_anchor(kept, url)
    cut_off(kept, 3)
    keep_anchor(kept, url)
    assert kept_anchor(url) == whole
    assert verified(kept, url).why == "2 entries are missing at the end: an anchor has 5"


@pytest.mark.parametrize("more", [1, 2, 3, 20])
def test_a_cut_off_end_is_told_even_when_the_trail_went_on(kept: Casebook, url: str, more: int) -> None:
    append(kept, 5)
    whole = keep_anchor(kept, url)
    cut_off(kept, 3)
    for _ in range(more):
        append(kept)
        keep_anchor(kept, url)
    assert kept_anchor(url) == whole
    assert not verified(kept, url).whole


@pytest.mark.parametrize("text", ["", "5", "5:abc", "\x00", "ü" * 80])
def test_an_anchor_file_of_junk_is_told_and_not_written_over(kept: Casebook, url: str, text: str) -> None:
    path = anchor_file(url)
    assert path is not None
    path.write_text(text, "utf-8")
    with pytest.raises(RefusedError, match="anchor"):
        keep_anchor(kept, url)
    assert path.read_text("utf-8") == text


def test_bytes_that_are_no_text_are_told(kept: Casebook, url: str) -> None:
    path = anchor_file(url)
    assert path is not None
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(RefusedError, match="cannot be read"):
        keep_anchor(kept, url)


def test_postgresql_has_no_file_beside_it() -> None:
    assert anchor_file("postgresql://somebody@127.0.0.1/casebook") is None
