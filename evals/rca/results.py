"""All that a run of the benchmark found."""

from collections.abc import Sequence
from dataclasses import dataclass

from evals.rca.case import OURS
from evals.rca.reliability import Bin, reliability
from evals.rca.running import Outcome
from evals.rca.summary import SPLITS, Label, Line, summarise
from evals.rca.tokenizer_sweep import CAUSE, Cell, cells


@dataclass(frozen=True)
class Results:
    """Outcomes of the cases, of the tokenizer sweep and of the sets of fixed size."""

    outcomes: tuple[Outcome, ...]
    switches: tuple[Outcome, ...] = ()
    sized: tuple[tuple[str, tuple[Outcome, ...]], ...] = ()
    """Our product on cases of a given size, by what the size is called."""

    @property
    def methods(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(sorted((o.method for o in self.outcomes), key=lambda m: m != OURS)))

    @property
    def ours(self) -> tuple[Outcome, ...]:
        return tuple(o for o in self.outcomes if o.method == OURS)

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(o.traits.kind for o in self.outcomes))

    def line(self, method: str, kinds: Sequence[str] | None = None) -> Line:
        return summarise(method, [o for o in self._of(method) if kinds is None or o.traits.kind in kinds])

    def split(self, method: str, label: Label) -> dict[str, Line]:
        """Lines by the value of a trait, in order of the values."""
        mine = self._of(method)
        return {
            value: summarise(method, [o for o in mine if label(o) == value])
            for value in sorted({label(o) for o in mine}, key=_natural)
        }

    @property
    def reliability(self) -> list[Bin]:
        return reliability(self.ours)

    @property
    def sweep(self) -> list[Cell]:
        return cells(self.switches)

    @property
    def false_tokenizer(self) -> tuple[int, int]:
        """How many cases without a tokenizer change were told one, of how many."""
        others = [o for o in self.ours if all(CAUSE not in m.truth.causes for m in o.grade.matches)]
        others += [o for o in self.switches if not o.grade.matches]
        return sum(any(c.cause == CAUSE for c in o.answer.culprits) for o in others), len(others)

    def _of(self, method: str) -> list[Outcome]:
        return [o for o in self.outcomes if o.method == method]


def _natural(text: str) -> tuple[float, str]:
    """Numbers in a label by their size, `under` first."""
    digits = "".join(c if c.isdigit() or c == "." else " " for c in text).split()
    return (float(digits[0]) - 0.5 * text.startswith("under") if digits else -1.0, text)


__all__ = ["SPLITS", "Results"]
