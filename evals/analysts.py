"""Who investigates in the benchmark: the deterministic analyst, and whatever models somebody adds."""

from collections.abc import Callable
from dataclasses import dataclass

from agent.llm.port import ChatModel
from evals.scenarios import Scenario, Truth

Make = Callable[[Scenario, Truth], ChatModel | None]
"""A model for one case, which may know the truth, as a scripted one must; None for no model at all."""


@dataclass(frozen=True, slots=True)
class Analyst:
    name: str
    model: Make


def no_model(_scenario: Scenario, _truth: Truth) -> ChatModel | None:
    return None


DETERMINISTIC = Analyst("deterministic", no_model)
ANALYSTS: tuple[Analyst, ...] = (DETERMINISTIC,)
"""Extend here. Processes find an analyst by its name."""


def analyst_named(name: str) -> Analyst:
    return next(analyst for analyst in ANALYSTS if analyst.name == name)
