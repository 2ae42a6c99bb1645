"""Pseudonyms from the sources to the casebook: connectors store no names, what is stored is rewritten."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from evals.fake_openai_usage import FakeOpenAiUsage, fake_openai_usage
from evals.loopback import Loopback
from ledger.errors import RefusedError
from ledger.owners import OwnerRule
from ledger.scope import Scope
from ledger.store import open_ledger
from tests.decision_builders import asked_for, click, propose, slack
from tests.incident_documents import NOW, incident_document, save_incidents
from tests.sync_cases import HOUR, Syncs, hour
from tests.sync_cases import NOW as SYNCED_AT
from tests.test_ledger_pseudonyms import ALICE, BOB, everything_in, load, rows_of
from tests.usage_builder import TestLedger, write
from tokensleuth.app import App
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.feedback import Feedback, add_feedback, feedback_of
from tokensleuth.casebook.schema import evidence, incidents, investigations, proposals
from tokensleuth.commands.privacy import run_pseudonym, run_pseudonymise
from tokensleuth.connectors.syncing import Into
from tokensleuth.privacy.casebook_users import Hiding, hide_in_casebook
from tokensleuth.privacy.pseudonym import pseudonyms_under
from tokensleuth.privacy.settings import PrivacySettings
from tokensleuth.settings import Settings, Store

KEY = b"the key of the casebook"
HIDDEN = pseudonyms_under(KEY)
Served = tuple[FakeOpenAiUsage, Loopback]


@dataclass(slots=True)
class HiddenSyncs(Syncs):
    """Syncs that store pseudonyms."""

    def into(self) -> Into:
        plain = Syncs.into(self)
        return replace(plain, attribution=replace(plain.attribution, pseudonym=HIDDEN))


@pytest.fixture
def syncs(tmp_path: Path) -> Iterator[HiddenSyncs]:
    with open_ledger(tmp_path / "ledger.duckdb") as ledger:
        yield HiddenSyncs(ledger, tmp_path)


@pytest.fixture
def served() -> Iterator[Served]:
    with fake_openai_usage() as found:
        yield found


def test_a_sync_stores_no_name_and_owners_by_address_still_hold(served: Served, syncs: HiddenSyncs) -> None:
    fake, at = served
    fake.users = {"user-1": ALICE}
    syncs.owners = (OwnerRule(team="search", user="alice@*"),)
    fake.add(hour(3), user_id="user-1", model="gpt-4o", input_uncached=5)
    syncs("openai", at)
    fake.add(hour(2), user_id="user-1", project_id="proj_2", model="gpt-4o", input_uncached=7)
    again = syncs("openai", at)["completions"]

    assert (again.result.new, again.result.duplicate) == (1, 1)
    assert set(syncs.rows('select "user", team from scopes')) == {(HIDDEN("user-1"), "search")}
    stored = everything_in(TestLedger(syncs.ledger, syncs.ledger.pulled.connection))
    assert not [name for name in ("alice", "user-1") if name in stored]


def test_a_row_that_vanishes_at_its_source_is_emptied_under_its_pseudonym(
    served: Served, syncs: HiddenSyncs
) -> None:
    fake, at = served
    fake.add(hour(3), user_id="user-1", model="gpt-4o", input_uncached=5)
    syncs("openai", at)
    fake.facts.clear()
    outcome = syncs("openai", at, now=SYNCED_AT + HOUR)["completions"]

    assert outcome.result.restated == 1
    assert syncs.rows("select sum(input_tokens) from spend") == [(0,)]
    assert syncs.rows("select count(*) from scopes") == [(1,)]


def with_people(casebook: Casebook) -> None:
    said = f"Key k1 of {ALICE} retries; bob does not."
    scope = {"team": "search", "user": ALICE}
    save_incidents(casebook, incident_document("inc_1", scope=scope, report=said))
    with casebook.writing() as connection:
        add_feedback(connection, Feedback("inc_1", "expected", scope, None, "carol", NOW))


def test_the_casebook_is_rewritten_in_scopes_and_documents(casebook: Casebook) -> None:
    with_people(casebook)
    counts = hide_in_casebook(casebook, [ALICE, BOB], HIDDEN)
    with casebook.reading() as connection:
        scope = connection.scalar(select(incidents.c.scope))
        document = json.dumps(connection.scalar(select(investigations.c.document)))
        (given,) = feedback_of(connection, "inc_1")

    assert counts == {"incidents": 1, "feedback": 1, "investigations": 1}
    assert scope == dict(given.scope) == {"team": "search", "user": HIDDEN(ALICE)}
    assert f"Key k1 of {HIDDEN(ALICE)} retries; bob does not." in document
    assert ALICE not in document
    assert hide_in_casebook(casebook, [ALICE, BOB], HIDDEN) == {}


def test_what_was_decided_on_stays_as_people_saw_it(casebook: Casebook) -> None:
    propose(casebook, asked_for("notify_owner"))
    before = _written(casebook)
    click(casebook, "prop_notify_owner", slack("alice"))
    hide_in_casebook(casebook, ["search", "search-oncall"], HIDDEN)

    assert _written(casebook) == before


def _written(casebook: Casebook) -> list[object]:
    with casebook.reading() as connection:
        columns = (investigations.c.document, proposals.c.document, proposals.c.payload_hash, evidence.c.rows)
        return [list(connection.scalars(select(column))) for column in columns]


def test_a_short_name_is_not_taken_out_of_sentences() -> None:
    hiding = Hiding(frozenset(["the", "Ann Lee", "user-1"]), HIDDEN)

    assert hiding.document("the key of user-1, again") == f"the key of {HIDDEN('user-1')}, again"
    assert hiding.document(["the", {"user": "x", "n": 3}, "Ann Lee"]) == [
        HIDDEN("the"), {"user": HIDDEN("x"), "n": 3}, HIDDEN("Ann Lee"),
    ]  # fmt: skip
    assert hiding.document({"user": "UNALLOCATED"}) == {"user": "UNALLOCATED"}


@pytest.fixture
def app(tmp_path: Path) -> App:
    store = Store(ledger=tmp_path / "ledger.duckdb", casebook=f"sqlite:///{tmp_path}/casebook.sqlite")
    made = App(Settings(store=store))
    with made.ledger(create=True) as ledger:
        opened = TestLedger(ledger, ledger.pulled.connection)
        load(opened, write(tmp_path / "a.jsonl", rows_of(ALICE, BOB)), None)
        ledger.pulled.learn_names({("openai", "user", "user-1"): ALICE})
    with made.casebook() as casebook:
        with_people(casebook)
    return made


ON = PrivacySettings(pseudonymous_users=True)


def test_the_command_rewrites_both_stores_once_and_leaves_no_name_in_the_file(app: App) -> None:
    first = run_pseudonymise(app, ON, dry_run=False).document
    again = run_pseudonymise(app, ON, dry_run=False).document

    assert first["ledger"]["users"] == 2  # type: ignore[index]
    assert first["casebook"] == {"incidents": 1, "feedback": 1, "investigations": 1}
    assert (again["ledger"], again["casebook"]) == ({"users": 0}, {})
    assert ALICE.encode() not in app.settings.store.ledger.read_bytes()
    with app.casebook() as casebook:
        assert Scope.of(casebook.incidents(now=NOW)[0]["scope"]).as_dict()["user"].startswith("u_")  # type: ignore[arg-type]


def test_a_rehearsal_of_it_changes_nothing(app: App) -> None:
    assert run_pseudonymise(app, ON, dry_run=True).document == {"dry_run": True, "users": 2}
    assert run_pseudonymise(app, ON, dry_run=True).document == {"dry_run": True, "users": 2}


def test_it_is_refused_while_the_setting_is_off(app: App) -> None:
    with pytest.raises(RefusedError, match=r"set privacy\.pseudonymous_users = true first"):
        run_pseudonymise(app, PrivacySettings(), dry_run=False)


def test_a_person_is_found_by_name_and_by_what_sources_call_them(app: App) -> None:
    run_pseudonymise(app, ON, dry_run=False)
    found = run_pseudonym(app, ALICE).document
    with app.casebook() as casebook:
        hidden = pseudonyms_under(casebook.key)

    assert found == {"pseudonym": hidden(ALICE), "ids": [hidden("user-1")]}
