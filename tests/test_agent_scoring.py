"""Causes are weighed by the rules of their playbooks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.derived import Signal, derived_from
from agent.reasons import objections
from agent.scoring import MOST_CONFIDENT, Scored, is_benign, rank_causes
from agent.signals import FACTS, refuse_unknown_facts
from ledger.errors import RefusedError
from playbooks import Playbook, load_playbooks

PLAYBOOKS = load_playbooks()


def _signals(**values: float) -> dict[str, Signal]:
    return {name: Signal(value, f"ev_{name}") for name, value in values.items()}


def test_the_shipped_playbooks_ask_for_facts_that_exist() -> None:
    refuse_unknown_facts(PLAYBOOKS)


def test_a_misspelt_fact_is_refused() -> None:
    rule = PLAYBOOKS[0].confirms[0].model_copy(update={"fact": "retried_shares"})
    wrong = PLAYBOOKS[0].model_copy(update={"confirms": (rule,)})
    with pytest.raises(RefusedError, match="retried_shares"):
        refuse_unknown_facts([wrong])


def test_without_evidence_the_cause_is_unknown() -> None:
    best = rank_causes(PLAYBOOKS, {})[0]
    assert (best.cause, best.playbook.verdict) == ("unknown", "inconclusive")


def test_confidences_add_up() -> None:
    ranked = rank_causes(PLAYBOOKS, _signals(rise=1, share_volume=0.7, requests_ratio=2))
    assert sum(s.confidence for s in ranked) == pytest.approx(1, abs=0.02)


def test_no_cause_is_more_certain_than_such_cases_turned_out() -> None:
    ranked = rank_causes(PLAYBOOKS, _signals(rise=1, share_retries=0.9, retried_share_rise=0.5))
    assert ranked[0].confidence == MOST_CONFIDENT


def test_retries_make_a_retry_storm_and_speak_against_growth() -> None:
    signals = _signals(rise=1, share_retries=0.9, share_volume=0.1, retried_share_rise=0.5, requests_ratio=3)
    ranked = {s.cause: s for s in rank_causes(PLAYBOOKS, signals)}
    assert max(ranked.values(), key=lambda s: s.score).cause == "retry_storm"
    assert "ev_retried_share_rise" in {w.evidence for w in ranked["volume_growth"].objections}


def test_broad_growth_of_many_keys_is_benign() -> None:
    growth = next(p for p in PLAYBOOKS if p.cause == "volume_growth")
    assert is_benign(growth, derived_from(_signals(breadth=0.9, keys=12)))
    assert not is_benign(growth, derived_from(_signals(breadth=0.9, keys=1)))
    assert not is_benign(growth, derived_from(_signals(keys=12)))


def test_every_fact_is_named_once() -> None:
    assert len(FACTS) > 40


RETRIES = _signals(rise=1, share_retries=0.9, retried_share_rise=0.06, requests_ratio=1.1)
STORM = next(p for p in PLAYBOOKS if p.cause == "retry_storm")


def _beside(weight: float) -> Playbook:
    """One more playbook of retry storms, with a single rule that holds."""
    [rule] = (r for r in STORM.confirms if r.fact == "share_retries")
    return STORM.model_copy(
        update={"name": "ours", "confirms": (rule.model_copy(update={"weight": weight}),), "refutes": ()}
    )


def _of_storm(*playbooks: Playbook) -> Scored:
    [found] = (s for s in rank_causes(playbooks, RETRIES) if s.cause == "retry_storm")
    return found


@pytest.mark.parametrize(("weight", "stands"), [(5, "ours"), (1, "retry_storm")])
def test_of_two_playbooks_of_a_cause_the_one_that_fits_best_stands_for_it(weight: float, stands: str) -> None:
    for order in ((_beside(weight), *PLAYBOOKS), (*PLAYBOOKS, _beside(weight))):
        assert _of_storm(*order).playbook.name == stands


def test_where_two_fit_alike_the_first_stands() -> None:
    again = STORM.model_copy(update={"name": "again"})
    assert _of_storm(again, *PLAYBOOKS).playbook.name == "again"
    assert _of_storm(*PLAYBOOKS, again).playbook.name == "retry_storm"


def test_a_cause_is_not_likelier_for_having_two_playbooks() -> None:
    alone, doubled = rank_causes(PLAYBOOKS, RETRIES), rank_causes((*PLAYBOOKS, *PLAYBOOKS), RETRIES)
    assert [(s.cause, s.score, s.confidence) for s in doubled] == [
        (s.cause, s.score, s.confidence) for s in alone
    ]


SIGNALS = st.dictionaries(st.sampled_from(sorted(FACTS)), st.floats(-2, 5), max_size=20)


@settings(max_examples=60, deadline=None)
@given(values=SIGNALS, extra=st.lists(st.sampled_from(PLAYBOOKS[:-1]), max_size=4), weight=st.floats(0.1, 5))
def test_every_cause_is_ranked_once_by_the_best_of_its_playbooks(
    values: dict[str, float], extra: list[Playbook], weight: float
) -> None:
    rules = {"confirms": (STORM.confirms[1].model_copy(update={"weight": weight}),)}
    own = [playbook.model_copy(update=rules) for playbook in extra]
    ranked = rank_causes((*own, *PLAYBOOKS), _signals(**values))
    assert sorted(s.cause for s in ranked) == sorted({p.cause for p in PLAYBOOKS})
    shipped = {s.cause: s.score for s in rank_causes(PLAYBOOKS, _signals(**values))}
    assert all(s.score >= shipped[s.cause] for s in ranked)


def test_what_only_requests_tell_is_not_named_without_them() -> None:
    loop = {"rise": 1, "share_volume": 1, "top_key_share": 1, "spreads_size": 9}
    assert rank_causes(PLAYBOOKS, _signals(**loop))[0].cause == "runaway_loop"
    ranked = {s.cause: s for s in rank_causes(PLAYBOOKS, _signals(**loop, requests_unknown=1))}
    assert ranked["runaway_loop"].confidence == 0
    assert ranked["runaway_loop"].objections[0].rule.fact == "requests_unknown"
    assert ranked["volume_growth"].playbook.name == "volume_growth_by_tokens"


@pytest.mark.parametrize("signals", [{}, {"requests_unknown": 0.0}])
def test_a_playbook_is_left_out_unless_all_that_it_is_only_for_is_known_to_hold(
    signals: dict[str, float],
) -> None:
    known = {"rise": 1.0, "share_volume": 1.0, "shape": -1.0, "requests_ratio": 9.0}
    ranked = {s.cause: s for s in rank_causes(PLAYBOOKS, _signals(**known, **signals))}
    assert ranked["volume_growth"].playbook.name == "volume_growth"


def test_an_absence_is_told_in_its_own_words() -> None:
    ranked = {s.cause: s for s in rank_causes(PLAYBOOKS, _signals(rise=-1, share_retries=0.0))}
    told = "".join(map(str, objections(ranked["retry_storm"])))
    assert told.startswith("the change is not in failed or retried requests (")
    assert "; it does not cost more than usual (ev_rise)" in told
