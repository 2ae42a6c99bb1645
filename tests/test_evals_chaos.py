"""Workers die at named points and random times: nothing is lost or doubled, and the checks would see it."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from evals.chaos.checks import check_audit, check_trial
from evals.chaos.clicks import Acknowledged, Click
from evals.chaos.clock import SharedClock
from evals.chaos.commits import transaction_name
from evals.chaos.findings import Findings, Seen
from evals.chaos.fleet import Plan
from evals.chaos.incidents import Case, open_case
from evals.chaos.people import ALICE
from evals.chaos.points import POINTS, RANDOM
from evals.chaos.report import document
from evals.chaos.running import KEY, Ran, run_chaos
from evals.fake_litellm import FakeLiteLlm
from evals.fake_litellm_journal import Write
from evals.fake_workspace import Answer
from tests.incident_documents import NOW
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import Anchor


@dataclass(frozen=True, slots=True)
class Still:
    """A case that nobody works on."""

    casebook: Casebook
    case: Case
    litellm: FakeLiteLlm

    def findings(
        self,
        acknowledged: list[Acknowledged] | None = None,
        writes: list[Write] | None = None,
        effects: list[Answer] | None = None,
    ) -> Findings:
        found = Findings()
        with self.casebook.reading() as connection:
            keys = self.litellm.proxy.keys
            seen = Seen(connection, self.case, acknowledged or [], writes or [], keys, effects or [])
            check_trial(seen, found)
        return found


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    with Casebook.open(f"sqlite:///{tmp_path}/casebook.sqlite", key=KEY) as casebook:
        litellm = FakeLiteLlm()
        yield Still(casebook, open_case(casebook, litellm, "test", 1, NOW), litellm)


def post(outbox_id: str) -> Answer:
    return {"effect": "post", "metadata": {"event_payload": {"outbox_id": outbox_id}}}


def ran_well(ran: Ran, kills: int) -> None:
    assert ran.findings.violations == []
    assert sum(ran.landed.values()) >= kills
    assert ran.findings.decisions > 0
    assert ran.findings.effects > 0


def test_eight_kills_lose_and_double_nothing() -> None:
    ran_well(run_chaos(kills=8, seed=11, postgres=False, told=lambda _: None), 8)


@pytest.mark.usefixtures("postgres")
def test_two_workers_on_postgresql_survive_four_kills() -> None:
    ran_well(run_chaos(kills=4, seed=12, postgres=True, told=lambda _: None), 4)


def test_an_alert_that_never_went_out_and_a_proposal_that_nobody_decided_are_lost(still: Still) -> None:
    lost = still.findings().lost
    assert f"letter alert {still.case.alert_id} is waiting: None" in lost
    assert len(lost) == 9


def test_a_click_that_was_acknowledged_and_is_not_there_is_lost(still: Still) -> None:
    click = Click(ALICE, "approve", still.case.asked["limited"], still.case, "1.1")
    lost = still.findings([Acknowledged(click, "slack_1")]).lost
    assert f"{click.told}: acknowledged and not in the inbox" in lost


def test_a_message_that_was_posted_twice_is_a_duplicate(still: Still) -> None:
    twice = [post(still.case.alert_id)] * 2
    assert still.findings(effects=twice).duplicates == [f"{still.case.alert_id} was posted 2 times"]


def test_a_write_that_no_execution_made_is_doubled(still: Still) -> None:
    key = still.case.asked["blocked"].key
    write = Write("/key/block", {"key": key}, "exec_unknown", "tokensleuth", True, True)
    assert len(still.findings(writes=[write]).doubled) == 1


def test_a_trail_that_ends_before_an_anchor_is_told(still: Still) -> None:
    found = Findings()
    with still.casebook.reading() as connection:
        check_audit(connection, KEY, [Anchor(99, "0" * 64)], found)
    assert "missing at the end" in found.others[0]


def test_every_point_comes_once_before_any_comes_again() -> None:
    plan = Plan(Random(1), wanted=10_000)  # noqa: S311
    drawn = Counter(p for p in (plan.next_point() for _ in range(600)) if p != RANDOM)
    assert set(drawn) == set(POINTS)
    assert max(drawn.values()) - min(drawn.values()) <= 1


def test_a_point_that_was_not_reached_comes_again_in_the_same_round() -> None:
    plan = Plan(Random(1), wanted=10_000)  # noqa: S311
    first = next(p for p in iter(plan.next_point, None) if p != RANDOM)
    plan.missed_at(first)
    assert first in plan.round


def test_a_transaction_is_named_by_what_it_writes() -> None:
    assert transaction_name(["INSERT INTO decisions ...", "INSERT INTO audit ..."]) == "decision"
    assert transaction_name(["INSERT INTO executions ...", "INSERT INTO audit ..."]) == "undo asked"
    assert transaction_name([]) is None


def test_a_shared_clock_is_put_forward_for_all_and_never_back(tmp_path: Path) -> None:
    one, two = SharedClock.at(tmp_path / "clock"), SharedClock.at(tmp_path / "clock")
    one.put_forward(NOW.replace(year=2100))
    two.put_forward(NOW)
    assert two().year == one().year == 2100
    one.close()
    two.close()


def test_the_report_counts_each_point() -> None:
    ran = Ran("sqlite", 1, 1, landed=Counter({POINTS[0]: 1, RANDOM: 2}))
    shown = document(ran)
    assert (shown["kills"], shown["kills_at_named_points"], shown["points_hit"]) == (3, 1, 1)


def test_a_worker_loads_nothing_that_takes_long() -> None:
    heavy = "{'duckdb', 'pandas', 'numpy', 'sklearn', 'statsmodels', 'langgraph', 'fastapi', 'openai'}"
    code = f"import sys, evals.chaos.worker; print(sorted({heavy} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
