"""Profiles in the ledger: written a block of series at a time, read for the hours they are needed for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from detectors.arrays import Numbers, names_of, put_together, taken, taken_apart
from detectors.flags import FlagState
from detectors.forest import Forest
from detectors.model import blocks
from detectors.plain_forest import FEATURES, forest_arrays, forest_names, forest_of
from detectors.price import PriceProfile
from detectors.profiles import CONTEXT_HOURS, Ahead, Lesson
from detectors.scale import Calibration
from detectors.seasonal import DAY_HOURS, WEEK_DAYS, Shapes
from detectors.statistics import FloatArray, IntArray
from ledger.kept.models import WHOLE, KeptArray, KeptModel, KeptModels
from tokensleuth.fitted_rows import FittedRows
from tokensleuth.kept_facts import ROWS

SHAPES = "Shapes.%"
FOREST = "forest."
_CACHED_BLOCKS = 4
_FOR_SCORES = (
    "trained",
    *(f"{kind.__name__}.{name}" for kind in (Calibration, PriceProfile) for name in names_of(kind)),
)


@dataclass(frozen=True, slots=True)
class KeptProfiles:
    """A kept model: rows of it as scoring takes them."""

    models: KeptModels
    model: KeptModel
    rows: FittedRows
    arrays: Mapping[tuple[int, str], KeptArray]
    _blocks: dict[tuple[int, tuple[str, ...]], dict[str, Numbers]] = field(default_factory=dict)

    @classmethod
    def of(cls, models: KeptModels, model: KeptModel) -> "KeptProfiles":
        rows = FittedRows.of(models.read(model.fitted_at, WHOLE, FittedRows.names()))
        return cls(models, model, rows, models.arrays(model.fitted_at))

    @property
    def fitted_at(self) -> datetime:
        return self.model.fitted_at

    @property
    def forest_at(self) -> datetime:
        """The midnight at which the forest was grown."""
        return datetime.fromisoformat(str(self.model.facts["forest_at"]))

    def forest(self) -> Forest | None:
        arrays = self.models.read(self.forest_at, WHOLE, [FOREST + name for name in forest_names()])
        if not arrays:
            return None
        return forest_of({name.removeprefix(FOREST): array for name, array in arrays.items()}, FEATURES)

    def ahead(self, rows: IntArray, end_at: datetime, forest: Forest | None) -> Ahead:
        """What is known of the rows (-1: nothing) from 24 h before the fit to `end_at`."""
        days = -(-(end_at - self.fitted_at) // timedelta(days=1))
        hours = CONTEXT_HOURS + int((end_at - self.fitted_at) / timedelta(hours=1))
        expected = [f"expected.{day}" for day in range(days + 1)]
        weekdays = [f"envelope.{(self.fitted_at.weekday() + day) % WEEK_DAYS}" for day in range(days)]
        found = self._rows(rows, (*_FOR_SCORES, *expected, *dict.fromkeys(weekdays)))
        envelope = [found[name] for name in weekdays]
        # Nobody asks for the envelope of the hours before the fit, which are not scored.
        return Ahead(
            expected=np.concatenate([found[name] for name in expected], axis=1)[:, :hours],
            envelope=np.concatenate([np.zeros_like(envelope[0]), *envelope], axis=2)[..., :hours],
            calibration=put_together(Calibration, found),
            trained=found["trained"] & (rows >= 0),
            price=put_together(PriceProfile, found),
            forest=forest,
        )

    def expected(self, rows: IntArray, end_at: datetime) -> FloatArray:
        """(rows, hours) from the fit to `end_at`; NaN where nothing is known, as in rows of -1."""
        days = -(-(end_at - self.fitted_at) // timedelta(days=1))
        names = [f"expected.{day}" for day in range(1, days + 1)]
        found = self._rows(rows, ("trained", *names))
        hours = int((end_at - self.fitted_at) / timedelta(hours=1))
        expected = np.concatenate([found[name] for name in names], axis=1)[:, :hours]
        return np.where((found["trained"] & (rows >= 0))[:, None], expected, np.nan)

    def state(self, rows: IntArray) -> FlagState:
        """What was open at the fit; nothing in rows of -1."""
        known = put_together(FlagState, self._rows(rows, _names(FlagState)))
        closed = FlagState.closed(len(rows))
        pairs = zip(taken_apart(known).values(), taken_apart(closed).values(), strict=True)
        return FlagState(*(np.where(rows >= 0, ours, none) for ours, none in pairs))

    def shapes(self, rows: IntArray) -> Shapes:
        """None is decomposed in rows of -1."""
        known = put_together(Shapes, self._rows(rows, _names(Shapes)))
        return Shapes(known.shares, known.decomposed & (rows >= 0))

    def _rows(self, rows: IntArray, names: tuple[str, ...]) -> dict[str, Numbers]:
        """The first row stands in for -1."""
        rows = np.maximum(rows, 0)
        numbers = np.unique(rows // ROWS)
        parts = [self._block(int(number), names) for number in numbers]
        if len(parts) == 1:
            return {name: parts[0][name][rows % ROWS] for name in names}
        starts = np.cumsum([0, *(len(part[names[0]]) for part in parts)])[:-1]
        index = starts[np.searchsorted(numbers, rows // ROWS)] + rows % ROWS
        return {name: np.concatenate([part[name] for part in parts])[index] for name in names}

    def _block(self, number: int, names: tuple[str, ...]) -> dict[str, Numbers]:
        key = (number, names)
        if key not in self._blocks:
            while len(self._blocks) >= _CACHED_BLOCKS:
                self._blocks.pop(next(iter(self._blocks)))
            self._blocks[key] = self.models.numbers({name: self.arrays[number, name] for name in names})
        return self._blocks[key]


def write_lesson(
    models: KeptModels, fitted_at: datetime, block: int, lesson: Lesson, state: FlagState
) -> None:
    """Keep what a block of rows showed by itself, day by day."""
    days = lesson.expected.reshape(len(lesson.expected), -1, DAY_HOURS)
    week = lesson.envelope.astype(np.float32).reshape(*lesson.envelope.shape[:2], WEEK_DAYS, DAY_HOURS)
    arrays: dict[str, Numbers] = {f"expected.{day}": days[:, day] for day in range(days.shape[1])}
    arrays |= {f"envelope.{day}": week[:, :, day] for day in range(WEEK_DAYS)}
    arrays |= {"trained": lesson.trained, **taken_apart(lesson.shapes), **taken_apart(state)}
    arrays |= taken_apart(lesson.price) if lesson.price else {}
    models.write(fitted_at, block, arrays)


def write_calibration(models: KeptModels, fitted_at: datetime, calibration: Calibration) -> None:
    for block, rows in enumerate(blocks(len(calibration.hourly_mean), ROWS)):
        models.write(fitted_at, block, taken_apart(taken(calibration, rows)))


def write_forest(models: KeptModels, fitted_at: datetime, forest: Forest | None) -> None:
    """A plain one; where there is none, nothing is kept."""
    arrays = forest_arrays(forest) if forest else {}
    models.write(fitted_at, WHOLE, {FOREST + name: array for name, array in arrays.items()})


def _names(kind: type[FlagState] | type[Shapes]) -> tuple[str, ...]:
    return tuple(f"{kind.__name__}.{name}" for name in names_of(kind))
