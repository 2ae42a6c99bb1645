"""Causes are weighed by the rules of their playbooks."""

import pytest

from agent.derived import Signal, derived_from
from agent.scoring import MOST_CONFIDENT, is_benign, rank_causes
from agent.signals import FACTS, refuse_unknown_facts
from ledger.errors import RefusedError
from playbooks import load_playbooks

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
