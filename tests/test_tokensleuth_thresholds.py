"""Thresholds only ever take away: what stays below is told apart, and nothing appears."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.incidents import Direction, Incident, SeriesKey, Spike
from ledger.errors import RefusedError
from ledger.scope import EVERYTHING, Scope
from ledger.window import HOUR, Window
from tests.ledger_builder import at
from tokensleuth.thresholds import Height, Threshold, height_of, opened, suppressed

SCOPES = (EVERYTHING, *(Scope.parse(s.split()) for s in ("team=a", "team=b", "team=a key_id=k", "model=m")))
MONTH = Window(at(0), at(30))
directions: st.SearchStrategy[Direction] = st.sampled_from(["up", "down"])
amounts = st.integers(0, 200)


@st.composite
def incidents(draw: st.DrawFn) -> list[Incident]:
    """Each of another hour, made of the spike at its own place."""
    count = draw(st.integers(0, 8))
    found = []
    for number in range(count):
        start_at = at(draw(st.integers(-5, 35)), number)
        direction = draw(directions)
        usd = draw(amounts) * (1 if direction == "up" else -1)
        window = Window(start_at, start_at + HOUR)
        found.append(
            Incident(window, draw(st.sampled_from(SCOPES)), direction, 300.0, 300.0 + usd, (number,))
        )
    return found


def spike_of(incident: Incident, score: float) -> Spike:
    key = SeriesKey("cost_usd", incident.scope)
    return Spike(key, incident.window, incident.direction, score, 0.0, 0.0, incident.window.end_at)


@st.composite
def thresholds(draw: st.DrawFn) -> Threshold:
    usd = draw(st.none() | amounts.map(Decimal))
    score = draw(st.floats(0, 20) if usd is None else st.none() | st.floats(0, 20))
    return Threshold("t", draw(st.sampled_from(SCOPES)), MONTH, draw(directions), usd, score)


@given(incidents(), st.lists(thresholds(), max_size=4), st.lists(st.floats(0, 20), min_size=8, max_size=8))
def test_a_threshold_never_makes_something_open_that_did_not(
    found: list[Incident], raised: list[Threshold], scores: list[float]
) -> None:
    spikes = [spike_of(i, s) for i, s in zip(found, scores, strict=False)]
    quiet = suppressed(found, spikes, raised)
    left = opened(found, quiet)
    assert [i for i in found if i in left] == list(left)
    assert {i.id for i in left} | {q.incident.id for q in quiet} == {i.id for i in found}
    assert not {i.id for i in left} & {q.incident.id for q in quiet}
    for each in quiet:
        assert each.threshold.keeps_quiet(height_of(each.incident, spikes))


@given(incidents(), thresholds())
def test_a_higher_threshold_keeps_at_least_as_much_quiet(found: list[Incident], raised: Threshold) -> None:
    spikes = [spike_of(i, 5.0) for i in found]
    higher = Threshold(
        "h", raised.scope, MONTH, raised.direction,
        None if raised.min_usd is None else raised.min_usd * 2,
        None if raised.min_score is None else raised.min_score * 2,
    )  # fmt: skip
    before, after = ({q.incident.id for q in suppressed(found, spikes, [t])} for t in (raised, higher))
    assert before <= after


def height(usd: str = "50", scope: str = "team=a", score: float | None = 6.0, day: int = 3) -> Height:
    return Height(Scope.parse(scope.split()), Window(at(day), at(day) + 4 * HOUR), Decimal(usd), score)


def raised(usd: str | None = "50", score: float | None = None, direction: Direction = "up") -> Threshold:
    minimum = None if usd is None else Decimal(usd)
    return Threshold("t", Scope.parse(["team=a"]), MONTH, direction, minimum, score)


@pytest.mark.parametrize(
    ("threshold", "told", "quiet"),
    [
        (raised("50.01"), height(), True),
        (raised("50"), height(), False),
        (raised("60"), height("-50"), False),
        (raised("60", direction="down"), height("-50"), True),
        (raised("60"), height(scope="team=b"), False),
        (raised("60"), height(scope="team=a key_id=k"), True),
        (raised("60"), height(scope="key_id=k"), False),
        (raised("60"), height(day=-3), False),
        (raised("60"), height(day=30), False),
        (raised("60", 7.0), height(), True),
        (raised("60", 6.0), height(), False),
        (raised("60", 7.0), height(score=None), False),
        (raised(None, 7.0), height("9999"), True),
    ],
)
def test_what_stays_below_all_that_is_asked_is_quiet(threshold: Threshold, told: Height, quiet: bool) -> None:
    assert threshold.keeps_quiet(told) is quiet


def test_one_on_all_spend_is_about_all_spend_alone() -> None:
    everything = Threshold("t", EVERYTHING, MONTH, "up", Decimal(1000))
    assert [everything.covers(scope) for scope in SCOPES[:2]] == [True, False]


def test_one_without_a_height_is_refused() -> None:
    with pytest.raises(RefusedError, match="a threshold of team=a needs dollars or a score, or both"):
        raised(None, None)
