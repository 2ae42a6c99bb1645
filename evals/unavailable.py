"""What a peer raises where something it needs is not on this machine, and what a run makes of it."""

import os

NO_SKIPS = "TOKENSLEUTH_NO_SKIPS"
"""Set to 1 by CI, which installs every peer and lets nothing be skipped."""


class Unavailable(Exception):
    """Says what is missing and how to get it; tests skip with it, and CI lets no test skip."""


def skipped(why: object) -> int:
    """Say it; the exit code is 0, but 1 where nothing may be skipped."""
    print(f"skipped: {why}")
    return 1 if os.environ.get(NO_SKIPS) == "1" else 0
