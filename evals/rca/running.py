"""Runs methods on cases in processes of their own, which make the cases they use."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

from evals.rca.case import Answer, Case, Traits
from evals.rca.generator import Size, generate_case
from evals.rca.grading import Grade, grade
from evals.rca.methods import explain_with


@dataclass(frozen=True, slots=True)
class Task:
    """One case to make, and who is to explain it."""

    make: Callable[[], Case]
    """Must survive the way to another process."""
    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one method said of one case, judged."""

    method: str
    case: str
    traits: Traits
    answer: Answer
    grade: Grade
    ledger_agrees: bool | None
    """Whether the product counts the dollars that were generated; None for methods without a ledger."""
    nuisances: int
    listing: str


def tasks_for(
    seeds: Sequence[int], kinds: Sequence[str], cases: int, methods: Sequence[str], size: Size | None = None
) -> list[Task]:
    """`cases` cases of each seed, spread over the kinds in turn."""
    return [
        Task(partial(generate_case, seed, kinds[n % len(kinds)], n // len(kinds), size), tuple(methods))
        for seed in seeds
        for n in range(cases)
    ]


def run_tasks(
    tasks: Sequence[Task], jobs: int, told: Callable[[Sequence[Outcome]], None]
) -> Iterator[Outcome]:
    """Every outcome; `told` hears of each case as it is done."""
    if jobs == 1:
        for task in tasks:
            done = run_task(task)
            told(done)
            yield from done
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(run_task, task) for task in tasks]):
            done = future.result()
            told(done)
            yield from done


def run_task(task: Task) -> list[Outcome]:
    case = task.make()
    return [judge(case, method, _answer(case, method)) for method in task.methods]


def judge(case: Case, method: str, answer: Answer) -> Outcome:
    graded = grade(case, answer)
    return Outcome(
        method=method,
        case=case.name,
        traits=case.traits,
        answer=answer,
        grade=graded,
        ledger_agrees=ledger_agrees(case, answer),
        nuisances=len(case.nuisances),
        listing=listing(case, answer, graded),
    )


def ledger_agrees(case: Case, answer: Answer) -> bool | None:
    if answer.told_usd is None:
        return None
    return abs(answer.told_usd - float(case.table.after_usd.sum())) < 0.01


def listing(case: Case, answer: Answer, graded: Grade) -> str:
    """Truth and prediction, for reading."""
    traits = case.traits
    before, after = case.table.before_usd.sum(), case.table.after_usd.sum()
    head = (
        f"{case.name}: noise {traits.noise:g}, {traits.dimensions} dimensions, {traits.leaves} leaves, "
        f"{traits.window_hours} h from {case.window.start_at:%m-%d %H:%M}, {before:,.2f} to {after:,.2f} USD"
    )
    lines = [head, *(f"    beside: {nuisance}" for nuisance in case.nuisances)]
    for match in graded.matches:
        mark = "ok  " if match.is_named else "name" if match.culprit else "MISS"
        lines.append(
            f"  {mark} {'/'.join(match.truth.causes)} {match.truth.delta_usd:+,.2f}: "
            f"{match.truth.scope}: {match.truth.text}"
        )
    for culprit in answer.culprits:
        usd = "" if culprit.delta_usd is None else f" {culprit.delta_usd:+,.2f}"
        sure = "" if culprit.confidence is None else f" ({culprit.confidence:.2f})"
        extra = " EXTRA" if culprit in graded.extra else ""
        lines.append(f"    said {culprit.cause or 'slice'}{usd}{sure}: {culprit.scope}{extra}")
    return "\n".join(lines + ([f"    failed: {answer.failure}"] if answer.failure else []))


def _answer(case: Case, method: str) -> Answer:
    """A method that fails on a case has found nothing there, and that is shown."""
    try:
        return explain_with(method, case)
    except Exception:  # noqa: BLE001
        return Answer((), 0.0, effects_sum=None, failure=traceback.format_exc(limit=-3).strip())
