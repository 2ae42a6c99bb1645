"""Copilot's credits are pulled a day at a time, counted once, and follow what GitHub says later."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from evals.fake_copilot import TOKEN, FakeCopilot, fake_copilot
from evals.fake_openai import json_reply
from evals.loopback import Loopback
from ledger.billing import billing_summary
from ledger.bills import BillingSummary
from ledger.errors import RefusedError
from ledger.owners import OwnerRule
from ledger.window import Window
from tests.sync_cases import DAY, HOUR, NOW, Syncs, syncing
from tokensleuth.connectors.choosing import source_of
from tokensleuth.connectors.patience import Patience
from tokensleuth.connectors.settings import SourceSettings
from tokensleuth.connectors.syncing import Reach, StreamOutcome, sync_source

NOVEMBER = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
YESTERDAY = date(2026, 11, 21)


@dataclass(frozen=True, slots=True)
class Office:
    """An organisation with a fake GitHub and a ledger."""

    fake: FakeCopilot
    served: Loopback
    syncs: Syncs
    waited: list[float] = field(default_factory=list)

    def sync(self, *, now: datetime = NOW, organization: str = "acme") -> StreamOutcome:
        settings = SourceSettings(kind="copilot", base_url=self.served.url, organization=organization)
        source = source_of(
            settings.model_copy(update={"secret": SecretStr(TOKEN)}), Patience(wait=self.waited.append)
        )
        try:
            (outcome,) = sync_source(source, self.syncs.into(), Reach(now, 48 * HOUR, 5 * DAY))
            return outcome
        finally:
            source.close()

    def bills(self) -> BillingSummary:
        return billing_summary(self.syncs.ledger.reader, NOVEMBER)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with fake_copilot() as (fake, served), syncing(tmp_path) as syncs:
        yield Office(fake, served, syncs)


def test_days_that_are_over_are_asked_for_one_by_one(office: Office) -> None:
    office.sync()
    days = [int(request.query["day"][0]) for request in office.served.asked]
    assert days == [17, 18, 19, 20, 21]


def test_the_pool_costs_no_cash_and_what_is_beyond_it_does(office: Office) -> None:
    office.fake.use(YESTERDAY, "Claude Opus 4.7", gross=2500, net=1500)
    assert office.sync().result.new == 2
    (line,) = office.bills().lines
    assert (line.kind, line.provider, line.billed_pico, line.effective_pico) == (
        "credits", "github-copilot", 15 * 10**12, 25 * 10**12,
    )  # fmt: skip
    (pool,) = office.bills().pools
    assert [pool.drawn, pool.from_pool, pool.overage] == [Decimal(n) for n in (2500, 1000, 1500)]
    assert pool.remaining is None


def test_a_second_sync_changes_nothing(office: Office) -> None:
    office.fake.use(YESTERDAY, "Claude Opus 4.7", gross=2500, net=1500)
    office.sync()
    before = office.bills()
    again = office.sync()
    assert (again.result.new, again.result.duplicate, again.result.restated) == (0, 2, 0)
    assert office.bills() == before


def test_what_github_says_later_replaces_and_what_it_says_no_more_costs_nothing(office: Office) -> None:
    office.fake.use(YESTERDAY, "Claude Opus 4.7", gross=2500, net=1500)
    office.fake.use(YESTERDAY, "GPT-5.5", gross=100)
    office.sync()
    office.fake.days[YESTERDAY] = []
    office.fake.use(YESTERDAY, "Claude Opus 4.7", gross=2600)
    assert office.sync().result.restated == 3
    (line,) = office.bills().lines
    assert (line.billed_pico, line.effective_pico) == (0, 26 * 10**12)
    assert office.bills().pools[0].drawn == Decimal(2600)


def test_the_owner_map_says_whose_credits_they_are(office: Office) -> None:
    office.syncs.owners = (OwnerRule(team="platform", provider="github-copilot", project="acme"),)
    office.fake.use(YESTERDAY, "Claude Opus 4.7", gross=100)
    office.sync()
    assert office.bills().lines[0].team == "platform"


def test_an_owner_who_is_named_later_gets_the_credits_of_before(office: Office) -> None:
    office.fake.use(YESTERDAY, "Claude Opus 4.7", gross=100)
    office.sync()
    assert office.bills().lines[0].team == "UNALLOCATED"
    office.syncs.owners = (OwnerRule(team="platform", project="acme"),)
    office.sync()
    assert office.bills().lines[0].team == "platform"


def test_github_asking_for_a_pause_gets_it(office: Office) -> None:
    busy = json_reply({"message": "secondary rate limit"}, status=429)
    office.served.fail(busy, method="GET")
    assert office.sync().error is None
    assert len(office.waited) == 1


def test_another_organisation_is_not_found_and_the_reason_is_told(office: Office) -> None:
    outcome = office.sync(organization="acne")
    assert outcome.error is not None
    assert "Administration: read" in outcome.error


def test_a_wrong_item_is_rejected_and_the_rest_is_taken(office: Office) -> None:
    office.fake.use(YESTERDAY, "Claude Opus 4.7", gross=100)
    office.fake.days[YESTERDAY].append({"product": "Copilot"})
    result = office.sync().result
    assert (result.new, result.rejected) == (1, 2)
    assert result.errors[0].column == "sku"


def test_without_an_organisation_it_is_refused() -> None:
    settings = SourceSettings(kind="copilot").model_copy(update={"secret": SecretStr(TOKEN)})
    with pytest.raises(RefusedError, match="organization is needed"):
        source_of(settings)


def test_an_enterprise_is_asked_for_by_its_own_path(office: Office) -> None:
    assert office.sync(organization="enterprises/big").error is not None
    assert office.served.asked[0].path == "/enterprises/big/settings/billing/ai_credit/usage"
