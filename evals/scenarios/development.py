"""The cases that were looked at while the product was made."""

from dataclasses import replace

from evals.scenarios.organisations import BASE, LARGE, seeded
from evals.scenarios.places import MONTH_START
from evals.scenarios.plots import (
    catch_up,
    cold_cache,
    dearer_model,
    launch,
    leak,
    longer_answers,
    longer_prompts,
    loop,
    new_tokenizer,
    off_batch,
    outage,
    retries,
    success,
    switch,
    twice,
    two_at_once,
)
from evals.scenarios.scenario import Scenario

DEVELOPMENT: tuple[Scenario, ...] = (
    Scenario("case-01", seeded(101), longer_answers),
    Scenario("case-02", seeded(102)),
    Scenario("case-03", seeded(103), leak),
    Scenario("case-04", seeded(104), catch_up),
    Scenario("case-05", seeded(105), retries),
    Scenario("case-06", seeded(106, replace(BASE, billed_providers=("openai", "anthropic"))), dearer_model),
    Scenario("case-07", seeded(107), switch),
    Scenario("case-08", seeded(108), loop),
    Scenario("case-09", seeded(109), outage),
    Scenario("case-10", seeded(110, LARGE), new_tokenizer),
    Scenario("case-11", seeded(111), asked=MONTH_START),
    Scenario("case-12", seeded(207), cold_cache),
    Scenario("case-13", seeded(113), launch),
    Scenario("case-14", seeded(114), longer_prompts),
    Scenario("case-15", seeded(115, replace(BASE, record_ids=True)), twice),
    Scenario("case-16", seeded(211), off_batch),
    Scenario("case-17", seeded(117, LARGE), success, benign=True),
    Scenario("case-18", seeded(118, LARGE), two_at_once),
)
