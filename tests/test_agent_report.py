"""The report: in the order of a reader's questions, exact as printed, and safe with any name."""

import re
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import cache

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from agent.analyst import Judged, judge
from agent.evidence import Evidence
from agent.finding import Alternative, Change, Finding, Proposal
from agent.headings import SETTLING
from agent.investigation import Deps, Investigation, Subject, investigate_incident
from agent.measures import (
    BlockKey,
    DowngradeModel,
    FixPrice,
    MarkExpected,
    Measure,
    NotifyOwner,
    RevokeKey,
    SetBudget,
    SetRateLimit,
)
from agent.proposal_text import proposal_lines
from agent.report import Told, write_report
from agent.target import Target
from ledger.scope import EVERYTHING, Scope
from playbooks import load_playbooks
from tests.ledger_builder import Cell, LedgerBuilder, at, span
from tokensleuth.terminal.card import reasons_told, what_happened, what_settles

DAY = span(30)
PLAYBOOKS = load_playbooks()
EVIL = "k|1*_`[x](y)<b>#"


def _storm(_: datetime, cell: Cell) -> Cell:
    stormy = replace(cell, requests=4 * cell.requests, failed=3 * cell.requests, retried=3 * cell.requests)
    return stormy if cell.key_id != "k2" else cell


@cache
def _investigated(key: str = "k1", expected_pico: int | None = None) -> Investigation:
    usage = LedgerBuilder().run(Cell(key_id=key), days=35).run(Cell(key_id="k2", team="ads"), days=35)
    subject = Subject(
        incident_id="inc_1", window=DAY, expected_pico=expected_pico, explain=expected_pico is None
    )
    deps = Deps(reader=usage.change(DAY, _storm).reader(), playbooks=PLAYBOOKS, now=at(31))
    return investigate_incident(subject, deps, InMemorySaver())


def _judged(found: Investigation) -> tuple[Judged, ...]:
    return judge(Subject(incident_id="inc_1", window=DAY, explain=True), found.evidence, PLAYBOOKS)


def _written(found: Investigation, finding: Finding, *judged: Judged) -> str:
    return write_report(Told(finding, judged or _judged(found), found.evidence)).markdown


def _cents(text: str) -> Decimal:
    return Decimal(re.sub(r"[$,+*]", "", text))


def test_the_first_sentence_tells_how_much_and_who_and_the_card_takes_what_follows() -> None:
    finding = _investigated().finding
    line = next(line for line in finding.report.splitlines() if line.startswith("**"))
    bold, _, summary = line[2:].partition(".** ")
    assert bold.startswith(f"All spend cost ${finding.delta_usd:,} more than expected from {DAY}")
    assert "100% of the change from retry storm in team search, key k1" in bold
    assert (
        what_happened(finding.as_json(()))
        == summary
        == "Requests fail or time out, and the client sends them again and again."
    )


def test_the_verdict_is_told_in_words() -> None:
    sure = f"{_investigated().finding.confidence:.0%}"
    assert f"\nVerdict: confirmed. Cause: retry storm, {sure}.\n" in _investigated().finding.report
    assert "retry_storm" not in _investigated().finding.report


def test_the_sections_follow_the_questions_of_a_reader() -> None:
    headings = re.findall(r"^## (.*)$", _investigated().finding.report, re.MULTILINE)
    asked = ["Where the change comes from", "Who carries it, and why", "What it is not",
             "What changed near the window", "What can be done", "What was checked",
             "Who looked"]  # fmt: skip
    assert headings == asked


def test_the_steps_add_up_as_printed() -> None:
    finding = _investigated(expected_pico=7_777_777_777_777).finding
    steps = [_cents(usd) for usd in re.findall(r"^\| [^|]+ \| ([^|]+) \|", finding.report, re.MULTILINE)[1:]]
    expected, *effects, actual = steps
    assert expected + sum(effects) == actual == finding.actual_usd
    assert [abs(e) for e in effects] == sorted((abs(e) for e in effects), reverse=True)
    assert "| `trend` |" in finding.report


def test_effects_that_are_zero_are_counted_and_not_listed() -> None:
    finding = _investigated().finding
    zeros = sum(not e.usd for e in finding.effects)
    assert f"{zeros} effects are zero." in finding.report
    assert "$0.00" not in finding.report


def test_a_culprit_has_dollars_share_and_its_reasons_with_evidence() -> None:
    finding = _investigated().finding
    section = finding.report.split("## Who carries it, and why\n\n")[1].split("\n\n")[0]
    culprit, *reasons = section.splitlines()
    assert culprit.startswith(
        f"- team search, key k1: +${finding.culprits[0].delta_usd:,}, 100% of the change"
    )
    assert all(re.fullmatch(r"  - [A-Z].* \(.*ev_[0-9a-f]{12}\)", reason) for reason in reasons)
    assert set(finding.culprits[0].evidence) <= set(re.findall(r"ev_[0-9a-f]{12}", section))


def test_the_card_shows_the_reasons_of_each_culprit_without_their_evidence() -> None:
    [reasons] = reasons_told(_investigated().finding.as_json(()))
    assert reasons[0] == "The additional requests are failed or retried ones"
    assert not any("ev_" in reason for reason in reasons)


def test_names_from_data_are_not_read_as_markdown() -> None:
    finding = _investigated(EVIL).finding
    assert finding.cause == "retry_storm"
    assert "key k\\|1\\*\\_\\`\\[x\\](y)\\<b\\>\\#" in finding.report
    assert EVIL not in finding.report
    assert what_happened(finding.as_json(())).startswith("Requests fail")


def test_a_close_call_says_what_would_settle_it() -> None:
    found = _investigated()
    main = _judged(found)[0]
    close = Alternative(cause="runaway_loop", confidence=0.3, refuted_by=())
    ranked = tuple(replace(s, confidence=0.3) if s.cause == "runaway_loop" else s for s in main.ranked)
    finding = found.finding.model_copy(update={"alternatives": (close,)})
    told = _written(found, finding, replace(main, ranked=ranked))
    assert re.search(r"Cause: retry storm, \d+%, or runaway loop, 30%\.", told)
    assert "## What else it could be\n\n- Runaway loop, 30%: " in told
    assert f"\n  - {SETTLING}whether the owner can explain that" in told
    assert "## What it is not" not in told
    assert len(what_settles(finding.model_copy(update={"report": told}).as_json(()))) == 1


def test_several_culprits_are_told_as_several_causes() -> None:
    found = _investigated()
    main = _judged(found)[0]
    other = replace(main, scope=Scope.parse(["team=ads"]))
    beside = found.finding.culprits[0].model_copy(update={"scope": other.scope, "cause": "model_switch"})
    finding = found.finding.model_copy(update={"culprits": (*found.finding.culprits, beside)})
    told = _written(found, finding, main, other)
    assert told.startswith("# Retry storm: team search, key k1, and 1 more\n")
    assert ".** The largest of 2 causes: requests fail or time out" in told
    assert "and 100% from model switch in team ads" in told
    assert len(reasons_told(finding.model_copy(update={"report": told}).as_json(()))) == 2


def test_a_close_call_of_another_culprit_is_told_under_it() -> None:
    found = _investigated()
    main = _judged(found)[0]
    ranked = tuple(replace(s, confidence=0.3) if s.cause == "runaway_loop" else s for s in main.ranked)
    other = replace(main, scope=Scope.parse(["team=ads"]), ranked=ranked)
    beside = found.finding.culprits[0].model_copy(update={"scope": other.scope})
    finding = found.finding.model_copy(update={"culprits": (*found.finding.culprits, beside)})
    assert "\n  - It could also be runaway loop, 30%. What would settle it: " in _written(
        found, finding, main, other
    )


@pytest.mark.parametrize(
    ("part", "told"),
    [(Decimal("0.6"), "the rest does not stand out"), (Decimal(2), "the rest went the other")],
)
def test_what_the_culprits_leave_of_the_change_is_told(part: Decimal, told: str) -> None:
    found = _investigated()
    usd = part * found.finding.delta_usd
    evidence = tuple(
        e.model_copy(update={"rows": ({**e.rows[0], "usd": usd},)}) if e.tool == "slices" else e
        for e in found.evidence
    )
    culprit = found.finding.culprits[0].model_copy(update={"delta_usd": usd, "share": float(part)})
    finding = found.finding.model_copy(update={"culprits": (culprit,)})
    report = write_report(Told(finding, _judged(found), evidence)).markdown
    assert f"\n{part:.0%} of the change is told of here; {told}" in report
    assert "is told of here" not in found.finding.report
    headline = f"{part:.0%} of the change from retry" if part < 1 else f"+${usd:,.2f} from retry"
    assert headline in report.splitlines()[2]


def test_tokens_without_a_price_are_told_beside_the_amounts() -> None:
    found = _investigated()
    prices = found.evidence[0].model_copy(update={"id": "ev_p", "facts": {"unpriced_tokens": 12_345}})
    finding = found.finding.model_copy(update={"unpriced_tokens": 12_345})
    report = write_report(Told(finding, _judged(found), (*found.evidence, prices)))
    assert "12,345 tokens have no price and are not in any amount." in report.markdown


def test_dated_changes_stand_in_order_of_time() -> None:
    found = _investigated()
    late, early = (
        Change(kind="price", at=at(30, hour), what=f"price of m_{hour}", source="ev_9") for hour in (9, 2)
    )
    told = _written(found, found.finding.model_copy(update={"changes": (late, early)}))
    first, second = told.split("## What changed near the window\n\n")[1].splitlines()[:2]
    assert first == f"- {at(30, 2):%Y-%m-%d %H:%M} UTC, price: price of m\\_2 (ev_9)"
    assert "m\\_9" in second


def test_no_change_is_told_only_where_somebody_looked() -> None:
    found = _investigated()
    empty, full = (
        Evidence(id="ev_c", tool="changes", arguments={}, status="ok", window=DAY, facts={"changes": count})
        for count in (0, 2)
    )
    bare = found.finding.model_copy(update={"changes": ()})
    rest = tuple(e for e in found.evidence if e.tool != "changes")
    for evidence, told in (((*rest, empty), True), ((*rest, full), False), (rest, False)):
        report = write_report(Told(bare, _judged(found), evidence)).markdown
        assert ("is known to have changed" in report) is told


def test_what_no_evidence_backs_is_counted() -> None:
    found = _investigated()
    rest = tuple(e for e in found.evidence if e.tool != "effects")
    report = write_report(Told(found.finding, _judged(found), rest))
    assert report.unsupported >= 5
    assert "cost ? more than expected" in report.markdown


def test_a_change_that_nobody_carries_still_has_its_reasons() -> None:
    usage = LedgerBuilder().run(Cell(), days=35)
    subject = Subject(incident_id="inc_1", window=DAY, scope=EVERYTHING, explain=True)
    deps = Deps(reader=usage.reader(), playbooks=PLAYBOOKS, now=at(31))
    finding = investigate_incident(subject, deps, InMemorySaver()).finding
    assert "## Why normal variation\n\n- " in finding.report
    assert "No effect is as large as a cent" in finding.report


@pytest.mark.parametrize(
    ("measure", "told"),
    [
        (SetRateLimit(tokens_per_minute=40_000, requests_per_minute=9, model="m*"),
         "Set rate limit to 40,000 tokens per minute and 9 requests per minute for m\\*"),
        (SetBudget(max_usd=Decimal(1200), period="week"), "Set budget of $1,200.00 a week"),
        (DowngradeModel(from_model="a_1", to_model="b"), "Downgrade model from a\\_1 to b"),
        (BlockKey(), "Block key"),
        (RevokeKey(), "Revoke key"),
        (FixPrice(model="m", reason="no price"), "Fix price of m, no price"),
        (NotifyOwner(owner="ads|eu", message="x"), "Notify owner ads\\|eu"),
        (MarkExpected(until=at(30)), f"Mark expected until {at(30):%Y-%m-%d %H:%M} UTC"),
    ],
)  # fmt: skip
def test_a_measure_is_told_in_words(measure: Measure, told: str) -> None:
    proposal = Proposal(
        id="prop_1", measure=measure, target=Target(gateway="none", scope=Scope.parse(["team=a"])),
        expected_saving_usd_per_day=None, requests_refused_per_day=None, reversible=False, undo="",
        expires_at=at(31), rationale="why not",
    )  # fmt: skip
    [line] = proposal_lines([proposal])
    assert "".join(map(str, line)) == f"1. {told}: team a. It cannot be undone. Why not. (prop_1)"


def test_proposals_are_told_in_words_with_their_ids() -> None:
    finding = _investigated().finding
    section = finding.report.split("## What can be done\n\n")[1].split("\n\n")[0]
    assert section.startswith("1. Set rate limit to ")
    assert all(proposal.id in section for proposal in finding.proposals)
