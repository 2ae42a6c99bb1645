"""Clicks that race: eight on one proposal from two processes, then both execute; one decision, one effect.

    python -m evals.races [--trials 200] [--postgres]

prints one line of JSON. In each trial four people click Approve or Reject, twice each or through another
door, half of the clicks in each of two processes on one casebook, while an executor runs in each. Effects are
counted at a fake LiteLLM proxy behind the real gateway.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select

from evals.child_process import stop
from evals.fake_litellm import FakeLiteLlm, fake_litellm
from evals.postgres_server import postgres_server
from evals.racing import KEY, NAMES, Click, Door, Trial
from evals.results import Figure
from ledger.window import instant_text
from tokensleuth.casebook import Casebook, EvidenceDocument, InvestigationRecord, JsonObject
from tokensleuth.casebook.audit import verify_entries
from tokensleuth.casebook.decided import Verdict
from tokensleuth.casebook.executed import executions_of
from tokensleuth.casebook.records import Touched
from tokensleuth.casebook.schema_acts import decisions
from tokensleuth.casebook.views import read_view
from tokensleuth.clock import utc_now

TRIALS, SEED, PROCESSES = 200, 6, 2
Child = subprocess.Popen[str]
_DOORS: tuple[Door, ...] = ("slack", "web", "os")


class Word(NamedTuple):
    """One that was kept."""

    verdict: str
    person: str


@dataclass(slots=True)
class Raced:
    """What came of all trials on one kind of database."""

    database: str
    trials: int = 0
    clicks: int = 0
    approved: int = 0
    rejected: int = 0
    waiting: int = 0
    """Two people were needed, and only one approved."""
    effects: int = 0
    faults: list[str] = field(default_factory=list)
    """In words: another number of decisions than one, or of effects than its decision asks for."""


def race(database: str, trials: int = TRIALS, seed: int = SEED) -> Raced:
    """Run them on `sqlite` or `postgresql`; raises Unavailable where there is no such server."""
    raced, chance = Raced(database), random.Random(seed)  # noqa: S311  # of trials
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tokensleuth-races-")))
        if database == "postgresql":
            server = stack.enter_context(postgres_server())
            url = server.url(server.create_database())
        else:
            url = f"sqlite:///{folder}/casebook.sqlite"
        casebook = stack.enter_context(Casebook.open(url, key=KEY))
        fake = stack.enter_context(fake_litellm())
        children = [stack.enter_context(_child(url, fake.url)) for _ in range(PROCESSES)]
        for number in range(trials):
            _run(raced, casebook, fake, children, _trial(chance, number))
        with casebook.reading() as connection:
            if why := verify_entries(connection, KEY, []).why:
                raced.faults.append(f"the audit trail is not whole: {why}")
    return raced


def figures(all_raced: Sequence[Raced]) -> tuple[Figure, ...]:
    """For RESULTS.md."""
    return tuple(
        Figure(
            f"races lost or doubled, {raced.database}: {raced.trials} trials, {raced.clicks:,} clicks, "
            f"{raced.approved} approved, {raced.rejected} rejected, {raced.effects} effects",
            len(raced.faults),
            "",
            "0",
            not raced.faults,
        )
        for raced in all_raced
    )


@contextmanager
def _child(url: str, gateway: str) -> Iterator[Child]:
    command = [sys.executable, "-m", "evals.racing", url, gateway]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            if _read(child) != "ready":
                raise RuntimeError("the racing process did not start")
            yield child
        finally:
            stop(child)  # type: ignore[arg-type]  # of text instead of bytes


def _trial(chance: random.Random, number: int) -> Trial:
    """Four people, two clicks each: a double click, a click through another door, or a change of mind."""
    verdicts: dict[str, Verdict] = {name: "reject" if chance.random() < 0.35 else "approve" for name in NAMES}
    clicks = []
    for name in NAMES:
        changed: Verdict = "reject" if chance.random() < 0.15 else verdicts[name]
        clicks += [Click(name, chance.choice(_DOORS), verdict) for verdict in (verdicts[name], changed)]
    chance.shuffle(clicks)
    action = "revoke_key" if chance.random() < 0.3 else "block_key"
    return Trial(f"prop_race_{number}", f"inc_race_{number}", action, clicks)


def _run(
    raced: Raced, casebook: Casebook, fake: FakeLiteLlm, children: Sequence[Child], trial: Trial
) -> None:
    key = fake.add_key(sha256(trial.proposal_id.encode()).hexdigest())
    _propose(casebook, trial, key)
    share = len(trial.clicks) // len(children)
    for place, child in enumerate(children):
        mine = trial.clicks[place * share : (place + 1) * share]
        _write(child, json.dumps([trial.proposal_id, [asdict(click) for click in mine]]))
    outcomes = [outcome for child in children for outcome in json.loads(_read(child))]
    raced.trials += 1
    raced.clicks += len(outcomes)
    writes = [write for write in fake.writes if key in json.dumps(write.body)]
    raced.effects += len(writes)
    _judge(raced, casebook, trial, outcomes, len(writes))


def _judge(raced: Raced, casebook: Casebook, trial: Trial, outcomes: Sequence[str], effects: int) -> None:
    needed = 2 if trial.action == "revoke_key" else 1
    state, executions, words = _ended(casebook, trial)
    raced.approved += "approved" in outcomes
    raced.rejected += "rejected" in outcomes
    raced.waiting += not {"approved", "rejected"} & set(outcomes)
    if wrong := what_is_wrong(needed, outcomes, words, state, executions, effects):
        told = f"{outcomes} {words} {state}, {executions} executions, {effects} effects"
        raced.faults.append(f"{trial.proposal_id}: {', '.join(wrong)}: {told}")


def what_is_wrong(
    needed: int,
    outcomes: Sequence[str],
    words: Sequence[Word],
    state: str,
    executions: int,
    effects: int,
) -> list[str]:
    """By the words that were kept: what the clicks were told, how it ended, and what it came to."""
    verdicts = [word.verdict for word in words]
    rejected, approved = "reject" in verdicts, verdicts.count("approve") >= needed
    ended = "rejected" if rejected else "done" if approved else "pending"
    told = [outcome for outcome in outcomes if outcome in ("approved", "rejected")]
    holds = {
        "both approved and rejected": not (rejected and approved),
        "a word after the decision": len(words) <= needed and verdicts.count("reject") <= 1,
        "two words of one person": len({word.person for word in words}) == len(words),
        "not one decision told": told == {"done": ["approved"], "rejected": ["rejected"]}.get(ended, []),
        f"not {ended}": state == ended,
        "not one execution of what is approved": executions == (ended == "done"),
        "not one effect of what is approved": effects == (ended == "done"),
    }
    return [name for name, right in holds.items() if not right]


def _ended(casebook: Casebook, trial: Trial) -> tuple[str, int, list[Word]]:
    """The proposal's state, how many executions it has, and each kept word."""
    with casebook.reading() as connection:
        view = read_view(connection, trial.incident_id, now=utc_now())
        statement = select(decisions).where(decisions.c.proposal_id == trial.proposal_id)
        words = [Word(row["verdict"], row["decided_by"]) for row in connection.execute(statement).mappings()]
        executions = len(executions_of(connection, trial.proposal_id))
    return view.proposals[0].state if view else "gone", executions, words


def _propose(casebook: Casebook, trial: Trial, key: str) -> None:
    now = utc_now()
    reversible = trial.action != "revoke_key"
    proposal: JsonObject = {
        "id": trial.proposal_id,
        "action": trial.action,
        "target": {"gateway": "litellm", "team": "search", "key_id": key},
        "parameters": {},
        "expected_saving_usd_per_day": None,
        "requests_refused_per_day": None,
        "reversible": reversible,
        "undo": "unblock it" if reversible else "none",
        "expires_at": instant_text((now + timedelta(hours=4)).replace(microsecond=0)),
        "rationale": "It retries without a pause.",
        "evidence": ["ev_1"],
    }
    evidence = EvidenceDocument("ev_1", "breakdown", {}, "ok", [], {})
    touched = {trial.proposal_id: Touched(0.01, "search", frozenset({key}))}
    record = InvestigationRecord(_incident(trial, proposal), [evidence], now, touched=touched)
    casebook.save(record)


def _incident(trial: Trial, proposal: JsonObject) -> JsonObject:
    return {
        "id": trial.incident_id,
        "start_at": "2026-11-03T14:00:00Z",
        "end_at": "2026-11-03T20:00:00Z",
        "scope": {"team": "search"},
        "expected_usd": "12.40",
        "actual_usd": "96.10",
        "delta_usd": "83.70",
        "verdict": "confirmed",
        "cause": "retry_storm",
        "confidence": 0.93,
        "culprits": [],
        "effects": [],
        "analyst": "deterministic",
        "degraded": False,
        "proposals": [proposal],
    }


def _write(child: Child, line: str) -> None:
    if child.stdin is None:
        raise RuntimeError("the racing process has no stdin")
    child.stdin.write(f"{line}\n")
    child.stdin.flush()


def _read(child: Child) -> str:
    if child.stdout is None:
        raise RuntimeError("the racing process has no stdout")
    return child.stdout.readline().strip()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.races", description=__doc__)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL instead of SQLite")
    given = parser.parse_args()
    raced = race("postgresql" if given.postgres else "sqlite", given.trials)
    print(json.dumps(asdict(raced)))
    return 1 if raced.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
