"""What pages ask of the casebook, on both databases."""

from datetime import timedelta

from tests.incident_documents import NOW, incident_document, proposal_document, save_incidents
from tests.web_site import INCIDENT, LIMIT, NOTIFY, REVOKE, approver, carried_out, parts_over, with_incident
from tokensleuth.approvals import Request, decide
from tokensleuth.casebook import Casebook
from tokensleuth.people import Identity
from tokensleuth.web.reading import (
    PAGE,
    find_proposal,
    is_empty,
    read_inbox,
    read_incident_rows,
    read_trail,
)

ALICE = Identity("web", "alice")


def test_the_inbox_has_what_waits_and_what_was_decided_last_first(casebook: Casebook) -> None:
    with_incident(casebook)
    parts = parts_over(casebook, approver("alice"))
    carried_out(parts, LIMIT)
    for proposal_id in (NOTIFY, REVOKE):
        with casebook.reading() as connection:
            view = find_proposal(connection, proposal_id, NOW)
        assert view is not None
        seen = str(view.document["payload_hash"])
        decide(casebook, Request(proposal_id, "reject", ALICE, seen), parts.rules, NOW)
    with casebook.reading() as connection:
        found = read_inbox(connection, NOW)
    assert [view.id for view in found.decided] == [REVOKE, NOTIFY]
    assert (list(found.waiting), found.more) == ([], 0)


def test_what_expired_waits_no_more(casebook: Casebook) -> None:
    with_incident(casebook)
    with casebook.reading() as connection:
        assert [view.id for view in read_inbox(connection, NOW).waiting] == [INCIDENT]
        assert list(read_inbox(connection, NOW + timedelta(days=2)).waiting) == []


def test_incidents_come_page_by_page_with_how_many_wait(casebook: Casebook) -> None:
    ids = [f"inc_{n:03}" for n in range(PAGE + 2)]
    proposing = incident_document(ids[0], proposals=[proposal_document()])
    save_incidents(casebook, proposing, *(incident_document(each) for each in ids[1:]))
    with casebook.reading() as connection:
        first = read_incident_rows(connection, after=None)
        rest = read_incident_rows(connection, after=str(first[PAGE - 1]["id"]))
    assert [row["id"] for row in (*first[:PAGE], *rest)] == ids
    assert first[0]["waiting"] == 1
    assert first[0]["start_at"] == "2026-11-03T14:00:00Z"


def test_the_trail_is_read_backwards_and_by_subject(casebook: Casebook) -> None:
    with casebook.reading() as connection:
        assert is_empty(connection)
    with_incident(casebook)
    with casebook.reading() as connection:
        numbers = [row["number"] for row in read_trail(connection, before=3, subject=None)]
        subjects = [row["subject"] for row in read_trail(connection, before=None, subject=NOTIFY)]
        assert not is_empty(connection)
    assert (numbers, subjects) == ([2, 1], [NOTIFY])
