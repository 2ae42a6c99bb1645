"""What people see: every fact is there, at 80 and 100 columns, and data is never read as markup."""

import io
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType

from tokensleuth.terminal import (
    Sparkline,
    baseline_table,
    baseline_text,
    detection_summary,
    incident_card,
    incident_table,
    ingest_block,
    plain_table,
    proposal_table,
    simulation_summary,
)
from tokensleuth.terminal.proposals import measure_text
from tokensleuth.terminal.sparkline import BLOCKS
from tokensleuth.terminal.text import counted, percent, period, printable, usd

EXAMPLES = Path(__file__).parents[1] / "docs" / "contract" / "examples"
EVIL = "[bold red]x[/] [link=http://evil]\x1b[31m\u202e\n"


def example(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))
    return loaded


def incident(**changed: object) -> dict[str, Any]:
    return {**example("investigate")["incidents"][0], **changed}


def shown(renderable: RenderableType, width: int = 100, *, colour: bool = False) -> str:
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=colour, no_color=not colour, highlight=False).print(
        renderable
    )
    return out.getvalue()


def sparkline(actual: Sequence[float], *, flagged: Sequence[int] = ()) -> Sparkline:
    start = datetime(2026, 11, 2, tzinfo=UTC)
    return Sparkline(
        hours=[start + timedelta(hours=i) for i in range(len(actual))],
        actual=actual,
        expected=[1.0] * len(actual),
        flagged=[i in flagged for i in range(len(actual))],
    )


EVERYTHING: dict[str, RenderableType] = {
    "card": incident_card(incident(), series=sparkline([1.0] * 200, flagged=[3])),
    "incidents": incident_table(example("incidents")["items"]),
    "proposals": proposal_table(example("proposals")["items"]),
    "detection": detection_summary(example("detect")),
    "simulation": simulation_summary(example("simulate")),
    "baseline": baseline_text(example("accept-baseline")),
    "baselines": baseline_table(example("baselines")["items"]),
    "ingest": ingest_block(example("ingest")),
    "sparkline": sparkline([1.0] * 1000, flagged=[500]),
}


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("name", EVERYTHING)
def test_nothing_runs_over_the_edge(name: str, width: int) -> None:
    lines = shown(EVERYTHING[name], width).splitlines()
    assert max(len(line) for line in lines) <= width


@pytest.mark.parametrize("width", [80, 100])
def test_ids_are_never_broken(width: int) -> None:
    assert "inc_4be2a90c1d77" in shown(EVERYTHING["card"], width)
    assert "inc_4be2a90c1d77" in shown(EVERYTHING["incidents"], width)
    assert "inc_4be2a90c1d77" in shown(EVERYTHING["detection"], width)
    assert "prop_c5d81fa2037b" in shown(EVERYTHING["proposals"], width)
    assert "inc_0d61f8b2a3c4" in shown(EVERYTHING["simulation"], width)
    assert "base_00afcf312b74" in shown(EVERYTHING["baselines"], width)


def test_a_card_tells_cost_cause_certainty_culprit_and_remedy() -> None:
    text = shown(EVERYTHING["card"])
    for fact in (
        "Retry storm",
        "team=search, key_id=k1",
        "+$83.70 against expectation: $96.10 instead of $12.40",
        "2026-11-03 14:00 to 20:00 UTC (6 h)",
        "confirmed, confidence 93%, deterministic analyst",
        "less likely: volume growth 5%",
        "96% of it, retry storm",
        "key k1 first used from client batch-worker/2.1",
        "set rate limit to 40,000 tokens per minute: key_id=k1, by litellm",
        "saves $61.00 a day; refuses 1,200 requests a day; can be undone",
        "prop_17a9e6b04c28",
    ):
        assert fact in text, fact


def test_the_effects_of_a_card_are_a_waterfall_by_size_and_zeros_are_counted() -> None:
    lines = [line.strip("│ \n") for line in shown(incident_card(incident())).splitlines()]
    at = lines.index("Effects  +$83.70 in all")
    assert [line.split("$")[0].rstrip() for line in lines[at + 1 : at + 5]] == [
        "expected",
        "more requests  +",
        "more retries   +",
        "actual",
    ]
    assert lines[at + 5] == "11 effects are zero"


def test_a_card_of_an_incident_without_effects_or_proposals_leaves_them_out() -> None:
    effects = [{"name": "volume", "usd": "0.00"}]
    text = shown(incident_card(incident(effects=effects, proposals=[], culprits=[], changes=[])))
    assert not any(title in text for title in ("Effects", "Proposals", "Culprits", "Changes"))


def test_a_card_warns_of_what_is_missing() -> None:
    text = shown(incident_card(incident(unpriced_tokens=12_345, unsupported_claims=1, degraded=True)))
    assert "12,345 tokens have no price" in text
    assert "1 claim of the analyst not backed by evidence" in text
    assert "a configured part failed" in text


def test_a_benign_growth_is_called_benign() -> None:
    assert "Volume growth (benign)" in shown(incident_card(incident(cause="volume_growth", verdict="benign")))


def test_data_is_never_read_as_markup_and_keeps_no_control_characters() -> None:
    culprit = incident()["culprits"][0] | {"scope": {"user": EVIL}, "share": None}
    proposal = incident()["proposals"][0] | {"rationale": EVIL, "target": {"gateway": "none", "key_id": EVIL}}
    change = {"kind": "key", "at": "2026-11-03T13:00:00Z", "what": EVIL, "source": None}
    bad = incident(scope={"team": EVIL}, culprits=[culprit], proposals=[proposal], changes=[change])
    stored = proposal | {"incident_id": "inc_1", "state": "pending"}
    error = {"file": EVIL, "line": 1, "column": EVIL, "value": EVIL, "reason": EVIL}
    for renderable in (
        incident_card(bad),
        incident_table([bad]),
        proposal_table([stored]),
        ingest_block(example("ingest") | {"errors": [error], "warnings": [EVIL]}),
        plain_table(["model"], [[EVIL]]),
    ):
        text = shown(renderable, 200)
        assert "[bold red]x[/] [link=http://evil]" in text
        assert not any(character in text for character in "\x1b\u202e")


def test_no_color_leaves_no_escape_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = io.StringIO()
    Console(file=out, width=100, highlight=False).print(EVERYTHING["card"])
    assert "\x1b" not in out.getvalue()


def test_a_sparkline_rises_where_the_series_does_and_marks_flagged_hours() -> None:
    actual, expected, flagged, caption = shown(sparkline([1, 1, 8, 4], flagged=[2, 3])).splitlines()
    assert actual.split() == ["actual", "▂▂█▅"]
    assert expected.split() == ["expected", "▂▂▂▂"]
    assert flagged == "flagged     ▲▲"
    assert caption.strip() == "2026-11-02 00:00 to 2026-11-02 04:00 UTC, peak $8.00/h"


def test_flagged_hours_of_a_sparkline_have_another_colour() -> None:
    text = shown(sparkline([1, 8], flagged=[1]), colour=True)
    assert "\x1b[34m▂" in text
    assert "\x1b[1;31m█" in text


def test_a_sparkline_of_many_hours_keeps_a_spike_of_one_hour() -> None:
    values = [1.0] * 1000
    values[700] = 50.0
    text = shown(sparkline(values, flagged=[700]), 80)
    assert BLOCKS[-1] in text.splitlines()[0]
    assert text.splitlines()[2].count("▲") == 1


def test_a_sparkline_of_many_hours_keeps_a_drop_of_one_hour() -> None:
    values = [10.0] * 1000
    values[700] = 0.0
    series = Sparkline(sparkline(values).hours, values, [10.0] * 1000, [False] * 1000)
    assert shown(series, 80).splitlines()[0].count(BLOCKS[0]) == 1


def test_a_sparkline_leaves_out_what_is_not_known() -> None:
    series = Sparkline(sparkline([1, 2]).hours, [1, math.nan], [math.nan, 2], [False, False])
    assert shown(series).splitlines()[:2] == ["actual    ▅ ", "expected   █"]


def test_sparklines_of_nothing_and_of_zeros_are_drawn() -> None:
    assert "no hours to show" in shown(sparkline([]))
    zeros = Sparkline(sparkline([0, 0]).hours, [0, 0], [0, 0], [False, False])
    assert shown(zeros).startswith("actual    ▁▁")


def test_an_ingest_result_counts_and_names_each_error_by_its_place() -> None:
    lines = shown(EVERYTHING["ingest"]).splitlines()
    assert lines == [
        "1,000 rows read: 940 new, 50 duplicate, 8 restated, 2 rejected",
        "  usage.csv:17 output_tokens '-5': must be an integer >= 0",
        "  login.csv: this is an HTML page, not a usage file",
        "  warning: usage.csv: 3 rows of model `acme-7b` have no price",
    ]


def test_an_ingest_result_says_how_many_errors_it_does_not_show() -> None:
    many = example("ingest") | {"errors": example("ingest")["errors"] * 20, "rejected": 5000}
    text = shown(ingest_block(many))
    assert text.count("usage.csv:17") == 5
    assert "and 4,990 more; --rejects FILE writes them all" in text


def test_charges_of_a_bill_are_told_apart() -> None:
    assert "3 of them charges" in shown(ingest_block(example("ingest") | {"charges": 3}))


def test_detection_says_how_much_it_looked_at() -> None:
    text = " ".join(shown(EVERYTHING["detection"]).split())
    assert "120 series scored in 1.2 s, 2026-11-01 00:00 to 2026-11-08 00:00 UTC (168 h)" in text
    assert "3 spikes in 1 incident." in text
    quiet = shown(detection_summary(example("detect") | {"spikes": [], "incidents": []}))
    assert "no spike" in quiet


def test_detection_says_which_accepted_levels_it_goes_by() -> None:
    document = example("detect")
    later = [baseline | {"acts": False} for baseline in document["baselines"]]
    text = " ".join(shown(detection_summary(document)).split())
    assert "team=mobile: the level from 2026-10-20 09:00 UTC on is accepted." in text
    text = " ".join(shown(detection_summary(document | {"baselines": later})).split())
    assert "it acts on ranges that start at 2026-10-21 09:00 UTC or later" in text


def test_a_simulation_opens_with_what_changed_and_tells_what_was_lost_and_gained() -> None:
    text = " ".join(shown(EVERYTHING["simulation"]).split())
    assert "fire_score 10.5 -> 14.0, trees 100 -> 50: incidents 3 -> 3: 1 lost worth $26.90" in text
    assert "1 gained worth $18.05; 3.0 -> 3.0 a week, $120.00 -> $111.15 in all" in text
    assert "now hit: key_leak, team=mobile" in text
    assert text.index("Lost") < text.index("inc_4be2a90c1d77") < text.index("Gained")


def test_a_simulation_without_a_difference_has_no_tables() -> None:
    same: dict[str, object] = {"settings": {"changed": {}}, "lost": [], "gained": [], "labels": None}
    text = " ".join(shown(simulation_summary(example("simulate") | same)).split())
    assert "no setting changed: incidents 3 -> 3: none lost, none gained" in text
    assert "Lost" not in text


def test_an_undone_baseline_is_told_as_such() -> None:
    text = shown(baseline_text(example("accept-baseline") | {"state": "undone"}))
    assert "is no longer taken as normal" in " ".join(text.split())


def test_tables_of_nothing_say_so() -> None:
    assert "No baseline was accepted" in shown(baseline_table([]))
    assert "No such incident in the casebook" in shown(incident_table([]))
    assert "No such proposal in the casebook" in shown(proposal_table([]))


def test_an_incident_in_the_table_shows_its_pending_proposals() -> None:
    assert "1 proposal pending" in shown(EVERYTHING["incidents"])


def test_a_card_tells_in_a_sentence_what_happened_before_the_numbers() -> None:
    report = "# Title\n\n**Team a.** b cost $5.00 more: $6.00 instead of $1.00.** Requests are sent again.\n"
    lines = [line.strip("│ \n") for line in shown(incident_card(incident(report=report))).splitlines()]
    assert lines.index("Requests are sent again.") < next(i for i, t in enumerate(lines) if "+$83.70" in t)
    assert "Requests" not in shown(incident_card(incident(report="another kind of report")))


def test_a_card_says_what_would_settle_a_close_call() -> None:
    report = "**a.** b\n\n- Loop, 30%\n  - What would settle it: whether it is even.\n"
    assert "What would settle it: whether it is even." in shown(incident_card(incident(report=report)))
    assert "What would settle it" not in shown(incident_card(incident(report="**a.** b\n")))


def test_a_card_says_why_it_blames_whom_it_blames() -> None:
    told = "- team a: +$1.00\n  - They are retries (share retries 90%, ev_1)\n  - They fail (ev_1)"
    report = f"**a.** b\n\n## Who carries it, and why\n\n{told}\n\n## What it is not\n"
    text = shown(incident_card(incident(report=report)))
    assert "Why" in text
    assert "They are retries" in text
    assert "ev_1" not in text
    assert "Why" not in shown(incident_card(incident(report="**a.** b\n")))


def test_a_card_of_several_causes_says_how_many() -> None:
    one = incident()["culprits"][0]
    assert "Retry storm and 1 more" in shown(incident_card(incident(culprits=[one, one])))
    assert "more" not in shown(incident_card(incident(culprits=[one]))).splitlines()[0]


def test_alternatives_that_are_out_of_the_question_are_left_to_the_report() -> None:
    other = incident()["alternatives"][0]
    text = shown(incident_card(incident(alternatives=[other, other | {"confidence": 0.004}])))
    assert "less likely: volume growth 5%" in text
    assert "0%" not in text


def proposal(action: str, parameters: Mapping[str, object], **changed: object) -> dict[str, Any]:
    return {**incident()["proposals"][0], "action": action, "parameters": parameters, **changed}


@pytest.mark.parametrize(
    ("action", "parameters", "told"),
    [
        ("set_rate_limit", {"requests_per_minute": 1200, "model": "m"}, "to 1,200 requests per minute for m"),
        ("set_budget", {"max_usd": "1349.50", "period": "day"}, "set budget of $1,349.50 a day"),
        ("downgrade_model", {"from_model": "a", "to_model": "b"}, "downgrade model from a to b"),
        ("block_key", {}, "block key"),
        ("fix_price", {"model": "m", "reason": "no price"}, "fix price of m: no price"),
        ("mark_expected", {"until": "2026-12-01T06:30:00Z"}, "mark expected until 2026-12-01 06:30 UTC"),
        ("notify_owner", {"owner": "search", "message": "x"}, "notify owner search"),
        ("dance", {"for_hours": 3}, "dance for hours 3"),
    ],
)
def test_a_measure_reads_as_a_sentence(action: str, parameters: dict[str, object], told: str) -> None:
    assert told in measure_text(proposal(action, parameters))


def test_what_only_tells_somebody_is_neither_undone_nor_lapses() -> None:
    for action, parameters in (
        ("notify_owner", {"owner": "o", "message": "m" * 500}),
        ("mark_expected", {"until": "2026-12-01T00:00:00Z"}),
    ):
        quiet = proposal(action, parameters, expected_saving_usd_per_day=None, requests_refused_per_day=None)
        text = shown(incident_card(incident(proposals=[quiet])))
        assert "undone" not in text
        assert "expires" not in text
        assert "m" * 500 not in text.replace("\n", "")


def test_a_proposal_takes_few_lines_and_leaves_out_what_is_zero() -> None:
    told = proposal("block_key", {}, requests_refused_per_day=0)
    lines = shown(incident_card(incident(proposals=[told]))).splitlines()
    at = next(i for i, line in enumerate(lines) if "block key" in line)
    assert lines[at + 1].strip("│ ") == "saves $61.00 a day; can be undone"
    assert lines[at + 2].strip("│ ").startswith("prop_c5d81fa2037b, expires 2026-")


@pytest.mark.parametrize("width", [80, 100, 140])
def test_names_of_a_usual_length_are_not_broken(width: int) -> None:
    key = "key_id=key-data-platform-prod-4e5c"
    scope = {"team": "data-platform", "key_id": "key-data-platform-prod-4e5c"}
    detected = example("detect")
    detected["incidents"][0]["scope"] = scope
    assert key in shown(detection_summary(detected), width)
    assert key in shown(incident_table([incident(scope=scope)]), width)
    target = proposal("block_key", {}, target={"gateway": "none", **scope})
    stored = target | {"incident_id": "inc_1", "state": "pending"}
    assert key in shown(proposal_table([stored]), width)


def test_tokens_without_a_price_are_told_with_their_spikes_and_the_remedy() -> None:
    spike = example("detect")["spikes"][1] | {"actual_tokens": 9_000_000, "expected_tokens": 1_000_000}
    counts = {"unpriced_tokens": 12_345_678, "unpriced_models": [f"m{i}" for i in range(7)]}
    text = " ".join(shown(detection_summary(example("detect") | counts | {"spikes": [spike] * 2})).split())
    assert "12,345,678 tokens of m0, m1, m2, m3, m4 and 2 more have no price" in text
    assert "key_id=k1, 2026-11-03 14:00 to 20:00 UTC (6 h): 9,000,000 tokens instead of 1,000,000" in text
    assert "tokensleuth reprice --apply" in text
    assert "have no price" not in shown(EVERYTHING["detection"])


def test_a_decided_proposal_shows_no_expiry() -> None:
    pending, rejected = example("proposals")["items"]
    assert "2026-11-05 20:00" in shown(proposal_table([pending]))
    assert "2026-11-05 20:00" not in shown(proposal_table([rejected]))


def test_columns_of_numbers_are_set_to_the_right() -> None:
    lines = shown(plain_table(["model", "USD"], [["a", "1.00"], ["b", "1,000.00"]])).splitlines()
    assert [line.rstrip() for line in lines if line[0] in "ab"] == ["a          1.00", "b      1,000.00"]


@pytest.mark.parametrize(
    ("amount", "signed", "text"),
    [
        ("1234.5", False, "$1,234.50"),
        ("1234.5", True, "+$1,234.50"),
        ("-0.125", True, "-$0.12"),
        ("0.00", True, "$0.00"),
        ("-0.00", True, "$0.00"),
        ("0.0004", False, "<$0.01"),
        ("-0.0004", True, "-<$0.01"),
        (None, False, "-"),
    ],
)
def test_dollars_are_rounded_to_cents_for_people(amount: str | None, signed: bool, text: str) -> None:
    assert usd(amount, signed=signed) == text


def test_a_period_names_the_day_of_its_end_only_when_it_is_another() -> None:
    two_days = {"start_at": "2026-11-03T14:00:00Z", "end_at": "2026-11-04T02:00:00Z"}
    assert period(two_days) == "2026-11-03 14:00 to 2026-11-04 02:00 UTC (12 h)"


def test_words_for_numbers() -> None:
    assert (counted(1, "spike"), counted(1204, "spike")) == ("1 spike", "1,204 spikes")
    assert (percent(0.957), percent(None), percent(1)) == ("96%", "-", "100%")
    assert printable("a\x00b\u200bc") == "a b c"
