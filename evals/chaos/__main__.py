"""`python -m evals.chaos`: kill workers at every point and look for what was lost or happened twice."""

import argparse
import sys
from collections.abc import Sequence

from evals.chaos.report import save, table
from evals.chaos.running import run_chaos
from evals.unavailable import Unavailable


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=30, help="that have landed (default 30)")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--postgres", action="store_true", help="two workers on a PostgreSQL of their own")
    given = parser.parse_args(arguments)
    try:
        ran = run_chaos(
            kills=given.kills,
            seed=given.seed,
            postgres=given.postgres,
            told=lambda line: print(line, file=sys.stderr, flush=True),
        )
    except Unavailable as missing:
        print(f"not run: {missing}", file=sys.stderr)
        return 2
    save(ran)
    print("\n".join(table(ran)))
    return 1 if ran.findings.violations or sum(ran.landed.values()) < given.kills else 0


if __name__ == "__main__":
    sys.exit(main())
