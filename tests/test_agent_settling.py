"""What would settle a close call is taken from the rules that separate two causes."""

from collections.abc import Mapping

from agent.derived import Signal
from agent.scoring import Scored
from agent.settling import separating, what_settles
from playbooks import Cause, Playbook, Rule


def rule(fact: str, why: str, *, weight: float = 2, value: float = 1) -> Rule:
    return Rule(fact=fact, op="at_least", value=value, weight=weight, why=why)


def scored(cause: Cause, *confirms: Rule, refutes: tuple[Rule, ...] = ()) -> Scored:
    playbook = Playbook(
        cause=cause, verdict="confirmed", title="t", summary="s", confirms=confirms, refutes=refutes,
        actions=(), owner_text="o", verify="v",
    )  # fmt: skip
    return Scored(playbook, 1.0, 0.5, ())


def settled(first: Scored, second: Scored, facts: Mapping[str, float]) -> str:
    return what_settles(first, second, {name: Signal(value, "ev_1") for name, value in facts.items()})


RISE = rule("rise", "it costs more", weight=5)
PLACE = rule("place", "it comes from a new place: nobody moved", weight=4)
EVEN = rule("evenness", "it is the same at every hour", weight=3)
LEAK, LOOP = scored("key_leak", RISE, PLACE), scored("runaway_loop", RISE, EVEN)


def test_what_both_causes_ask_separates_nothing() -> None:
    assert {p.rule.fact for p in separating(LEAK, LOOP)} == {"place", "evenness"}


def test_two_facts_that_pull_apart_are_for_the_owner_to_explain() -> None:
    told = settled(LEAK, LOOP, {"rise": 1, "place": 1, "evenness": 1})
    assert told == (
        "whether the owner can explain that it comes from a new place; "
        "then runaway loop is likelier, as it is the same at every hour"
    )


def test_that_it_costs_more_separates_nothing_either() -> None:
    assert {p.rule.fact for p in separating(LEAK, scored("runaway_loop", EVEN))} == {"place", "evenness"}


def test_a_refutation_of_the_other_cause_speaks_for_the_first() -> None:
    growth = scored("volume_growth", RISE, refutes=(rule("retries", "they are retries", weight=4),))
    told = settled(scored("retry_storm", RISE), growth, {"rise": 1, "retries": 1})
    assert told == "the owner's word: the facts at hand fit both"
    told = settled(growth, scored("retry_storm", RISE, EVEN), {"rise": 1, "retries": 0, "evenness": 0})
    assert "whether it is the same at every hour; of this there is no sign so far" in told


def test_a_strong_sign_that_nobody_could_see_comes_first() -> None:
    told = settled(LEAK, LOOP, {"rise": 1, "evenness": 1})
    assert told == ("whether it comes from a new place; this is not known here and would speak for key leak")


def test_of_equal_facts_the_split_of_the_change_is_told_last() -> None:
    loop = scored("runaway_loop", RISE, rule("share_volume", "it is more requests", weight=3), EVEN)
    told = settled(LEAK, loop, {"rise": 1, "place": 1, "evenness": 1, "share_volume": 1})
    assert told.endswith("as it is the same at every hour")
