"""`python -m evals.detection.through_ingest`: the product's commands must tell what the benchmark counts.

Writes a set as a usage file, runs `tokensleuth ingest` and `tokensleuth detect RANGE --scores --json`, and
compares spikes, incidents and scores with those of `evals.detection.ours`. Exit code 1 where they differ.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from detectors.settings import DetectorSettings
from evals.detection.datasets import SPEND_FILE, development_set
from evals.detection.generator import generate_set
from evals.detection.ours import MODEL, Ours, known_window, scored_window
from evals.detection.spend_set import SpendSet
from evals.runs import Stores, run_product
from evals.servegen import default_folder
from ledger.window import Window, instant_text
from tokensleuth.detection import RangeDetection
from tokensleuth.detection_document import detection_document
from tokensleuth.unpriced import Unpriced

COMPARED: Mapping[str, Sequence[str]] = {
    "incidents": ("scope", "start_at", "end_at", "direction", "expected_usd", "actual_usd", "spikes"),
    "spikes": ("series", "start_at", "end_at", "detected_at", "direction", "score", "terms"),
    "scores": ("series", "start_at", "values"),
}
"""The lists of the document, and what is compared of each of their items."""
MOST_SHOWN = 5
_USAGE_SQL = """
select
    ($start_at::timestamptz + to_hours(hour::integer)) as started_at, 'openai' as provider, $model as model,
    team, key_id, 1 as requests, tokens::bigint as input_tokens, cost_usd::decimal(18, 6) as cost_usd
from cells
order by started_at, key_id
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.detection.through_ingest", description=__doc__)
    parser.add_argument("--data", type=Path, default=default_folder(), help="folder of the development data")
    parser.add_argument("--seed", type=int, help="take the generated set of this seed instead")
    options = parser.parse_args(arguments)
    if options.seed is None and not (options.data / SPEND_FILE).is_file():
        print(f"no development data in {options.data}; give --seed to take a generated set", file=sys.stderr)
        return 2
    spend = development_set(options.data) if options.seed is None else generate_set(options.seed, series=70)
    with tempfile.TemporaryDirectory() as scratch:
        told = told_by_the_product(spend, Path(scratch))
    differences = list(compare(told, told_by_the_bench(spend)))
    sizes = ", ".join(f"{len(told[name])} {name}" for name in COMPARED)
    print(f"{spend.name}: {sizes}; {len(differences)} differences", *differences[:MOST_SHOWN], sep="\n")
    return 1 if differences else 0


def told_by_the_product(spend: SpendSet, folder: Path) -> Mapping[str, list[object]]:
    """The `detect` document of a ledger into which the set was loaded."""
    usage, stores = folder / "usage.parquet", Stores.fresh(folder)
    write_usage(spend, usage)
    run_product("ingest", str(usage), stores=stores).document()
    asked = asked_window(spend)
    text = f"{instant_text(asked.start_at)}..{instant_text(asked.end_at)}"
    return _compared(run_product("detect", text, "--scores", stores=stores).document())


def told_by_the_bench(spend: SpendSet) -> Mapping[str, list[object]]:
    """The same document, of what the benchmark counts."""
    found = RangeDetection(asked_window(spend), Ours().detect(spend), Unpriced())
    return _compared(detection_document(found, least_usd=Decimal(0), seconds=0.0, with_scores=True))


def asked_window(spend: SpendSet) -> Window:
    return scored_window(spend, known_window(spend, DetectorSettings().history_days))


def write_usage(spend: SpendSet, target: Path) -> None:
    """One row per series and hour with spend or tokens."""
    tokens = np.zeros_like(spend.cost_usd) if spend.tokens is None else np.round(spend.tokens)
    row, hour = np.nonzero((spend.cost_usd != 0) | (tokens != 0))
    cells = pd.DataFrame(
        {
            "hour": hour,
            "team": spend.family[row],
            "key_id": np.array(spend.names)[row],
            "tokens": tokens[row, hour],
            "cost_usd": np.round(spend.cost_usd[row, hour], 6),
        }
    )
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.register("cells", cells)
        query = connection.sql(_USAGE_SQL, params={"start_at": instant_text(spend.start_at), "model": MODEL})
        query.write_parquet(str(target))


def compare(told: Mapping[str, list[object]], counted: Mapping[str, list[object]]) -> Iterator[str]:
    """What the one has and the other has not, in words."""
    for name in COMPARED:
        missing = [one for one in counted[name] if one not in told[name]]
        added = [one for one in told[name] if one not in counted[name]]
        yield from (f"{name}: only the bench has {_short(one)}" for one in missing)
        yield from (f"{name}: only the product has {_short(one)}" for one in added)


def _compared(document: object) -> Mapping[str, list[object]]:
    if not isinstance(document, dict) or not COMPARED.keys() <= document.keys():
        raise RuntimeError(f"no {', '.join(COMPARED)} in {_short(document)}")
    return {
        name: [{field: item[field] for field in fields} for item in document[name]]
        for name, fields in COMPARED.items()
    }


def _short(value: object) -> str:
    return f"{value!s:.300}"


if __name__ == "__main__":
    raise SystemExit(main())
