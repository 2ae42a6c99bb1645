"""Children that hang, die or talk without end do no harm to the service."""

from threading import Event

import pytest

from ledger.errors import UnreachableError
from tokensleuth.children import TOO_LONG, Ended, run_child
from tokensleuth.clock import seconds_since, stopwatch
from tokensleuth.schedule.performing import GAVE_UP, NOT_YET, done_of

CHILD = "tests.child_cases"


def test_a_child_that_hangs_is_ended() -> None:
    ended = run_child(CHILD, {"how": "hangs"}, hold=lambda: True, stopping=Event(), longest_s=2)
    assert ended is not None
    assert ended.code == TOO_LONG


def test_a_child_is_ended_soon_after_another_replica_leads() -> None:
    began, leads = stopwatch(), iter([True, True, False])
    ended = run_child(
        CHILD, {"how": "hangs"}, hold=lambda: True, stopping=Event(), ours=lambda: next(leads, False)
    )
    assert ended is None
    assert seconds_since(began) < 10


def test_of_a_child_that_talks_without_end_the_last_megabyte_is_kept() -> None:
    ended = run_child(CHILD, {"how": "floods"}, hold=lambda: True, stopping=Event())
    assert ended is not None
    assert (ended.code, len(ended.output)) == (0, 1 << 20)
    assert ended.output.endswith(b"the end\n")


def test_a_casebook_that_is_busy_does_not_end_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokensleuth.children._HOLD_EVERY", 1)

    def busy() -> bool:
        raise UnreachableError("the casebook was busy for 10 s; try again")

    ended = run_child(CHILD, {"how": "hangs"}, hold=busy, stopping=Event(), longest_s=3)
    assert ended is not None
    assert ended.code == TOO_LONG


def test_a_child_that_was_killed_by_the_system_has_failed() -> None:
    ended = run_child(CHILD, {"how": "dies"}, hold=lambda: True, stopping=Event())
    assert ended is not None
    assert done_of(ended).state == "failed"
    assert "signal 9" in done_of(ended).note


@pytest.mark.parametrize(
    "output", [b"", b"\n", b"3\n", b"[]\n", b"null", b'{"note": 1}', b'{"note": "a"', b"\xff\xfe\x00", b"{}"]
)
@pytest.mark.parametrize("code", [0, 1, NOT_YET, GAVE_UP, -11, TOO_LONG])
def test_what_a_child_says_that_is_no_report_is_a_failure(output: bytes, code: int) -> None:
    assert done_of(Ended(code, output)).state == "failed"


def test_what_a_library_prints_before_the_report_is_no_harm() -> None:
    said = b'warning: junk\n{"note": "fine", "document": {"n": 1}}\n'
    assert [done_of(Ended(code, said)).state for code in (0, 1, NOT_YET, GAVE_UP)] == [
        "done", "failed", "waiting", "given_up",
    ]  # fmt: skip
