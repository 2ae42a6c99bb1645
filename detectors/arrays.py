"""Dataclasses that hold nothing but arrays, series first: joined, cut, and taken apart by name."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from detectors.flags import FlagState
from detectors.price import PriceProfile
from detectors.scale import Calibration, Measured
from detectors.seasonal import Shapes
from detectors.statistics import IntArray

Numbers = NDArray[Any]
"""Floats, integers or booleans of any width."""
Arrays = TypeVar("Arrays", Calibration, FlagState, Measured, PriceProfile, Shapes)


def joined(kind: type[Arrays], parts: Sequence[Arrays]) -> Arrays:
    """All series of the parts, in their order."""
    return kind(*(np.concatenate([getattr(part, name) for part in parts]) for name in names_of(kind)))


def taken(values: Arrays, rows: IntArray | slice) -> Arrays:
    """Only these series."""
    kind = type(values)
    return kind(*(getattr(values, name)[rows] for name in names_of(kind)))


def taken_apart(values: Arrays) -> dict[str, Numbers]:
    """Each array under the name of its kind and field, such as `Shapes.shares`."""
    kind = type(values)
    return {f"{kind.__name__}.{name}": getattr(values, name) for name in names_of(kind)}


def put_together(kind: type[Arrays], arrays: Mapping[str, Numbers]) -> Arrays:
    """What `taken_apart` took apart; other arrays are left alone."""
    return kind(*(arrays[f"{kind.__name__}.{name}"] for name in names_of(kind)))


def names_of(kind: type[Any]) -> list[str]:
    """The fields of the dataclass."""
    return [field.name for field in fields(kind)]
