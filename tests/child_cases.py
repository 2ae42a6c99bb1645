"""Children that do not behave: `python -m tests.child_cases` with an order that says how."""

import os
import signal
import sys
from threading import Event

from tokensleuth.children import taken_order


def main() -> int:
    with taken_order() as order:
        match order["how"]:
            case "hangs":
                Event().wait(60)
            case "floods":
                for _ in range(200):
                    sys.stdout.write("x" * 100_000)
                sys.stdout.write("\nthe end\n")
            case "dies":
                sys.stdout.write('{"note": "half a li')
                sys.stdout.flush()
                os.kill(os.getpid(), signal.SIGKILL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
