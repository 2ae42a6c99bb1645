"""Who investigates in the benchmark: the deterministic analyst, scripted models, and the one configured."""

from collections.abc import Callable
from dataclasses import dataclass

from agent.llm.port import ChatModel
from evals.model_scripts import contradicting, garbage, lazy, perfect, rambling
from evals.obedient import ObedientModel
from evals.scenarios import Scenario, Truth
from tokensleuth.app import App, Overrides
from tokensleuth.settings_reading import read_settings

Make = Callable[[Scenario, Truth], ChatModel | None]
"""A model for one case, which may know the truth, as a scripted one must; None for no model at all."""


@dataclass(frozen=True, slots=True)
class Analyst:
    name: str
    model: Make


def no_model(_scenario: Scenario, _truth: Truth) -> ChatModel | None:
    return None


def obedient(scenario: Scenario, _truth: Truth) -> ChatModel:
    """Does what any text it reads tells it to do."""
    return ObedientModel(seed=scenario.spec.seed)


def configured(_scenario: Scenario, _truth: Truth) -> ChatModel | None:
    """The model of the settings and the environment, as for any command."""
    return App.configured(Overrides()).model


DETERMINISTIC = Analyst("deterministic", no_model)
ANALYSTS: tuple[Analyst, ...] = (
    DETERMINISTIC,
    Analyst("perfect", perfect),
    Analyst("lazy", lazy),
    Analyst("rambling", rambling),
    Analyst("contradicting", contradicting),
    Analyst("garbage", garbage),
    Analyst("obedient", obedient),
    Analyst("configured", configured),
)
"""Extend here. Processes find an analyst by its name."""


def default_analysts() -> list[str]:
    """All of them; the configured one only where there is one."""
    return [a.name for a in ANALYSTS if a.name != "configured" or read_settings(None).llm.is_configured]


def analyst_named(name: str) -> Analyst:
    return next(analyst for analyst in ANALYSTS if analyst.name == name)
