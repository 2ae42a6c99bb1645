"""Our detector without one of its parts at a time.

Where a setting leaves the part out, that setting does it. Where `detectors` has no such setting, `patched`
sets a module's constant for the time of a run and puts it back; a constant that is gone is an error, so that
no row of the table silently measures the whole detector. Runs in a process of its own or alone in one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import cast

from detectors.scale import WINDOWS
from detectors.settings import DetectorSettings
from evals.detection.ours import NAME, Ours, Told
from evals.detection.spend_set import SpendSet

Change = Callable[[object], object]
"""The constant as it is -> as it is without the part."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A module's constant and what stands for it while the part is out."""

    module: str
    name: str
    change: Change


@dataclass(frozen=True, slots=True)
class Variant:
    """Our detector, whole or without a part."""

    name: str
    settings: Mapping[str, int | float] = field(default_factory=dict)
    """Of `DetectorSettings`, where they differ from what ships."""
    constants: tuple[Constant, ...] = ()
    with_tokens: bool = True
    """Without them there is no price channel."""

    def tell(self, spend: SpendSet) -> Told:
        settings = replace(DetectorSettings(), **self.settings)  # type: ignore[arg-type]
        given = spend if self.with_tokens else replace(spend, tokens=None)
        with ExitStack() as stack:
            for constant in self.constants:
                stack.enter_context(patched(constant))
            return Ours(self.name, settings).tell(given)


@contextmanager
def patched(constant: Constant) -> Iterator[None]:
    """The constant changed, and put back whatever happens; AttributeError where there is none."""
    module = import_module(constant.module)
    before: object = getattr(module, constant.name)
    setattr(module, constant.name, constant.change(before))
    try:
        yield
    finally:
        setattr(module, constant.name, before)


def _nought(_: object) -> object:
    return 0.0


def _noughts(values: object) -> object:
    return tuple(0.0 for _ in cast(Sequence[float], values))


def _without_window(hours: int) -> Change:
    """The weights of the windows, this one's being 0."""

    def change(weights: object) -> object:
        known = zip(WINDOWS, cast(Sequence[float], weights), strict=True)
        return tuple(0.0 if window == hours else weight for window, weight in known)

    return change


def _weight_of(hours: int) -> Constant:
    return Constant("detectors.scoring", "_RISE_WEIGHTS", _without_window(hours))


WHOLE = Variant(NAME)
ABLATIONS: tuple[Variant, ...] = (
    Variant("forest", constants=(Constant("detectors.scoring", "_FOREST_WEIGHT", _nought),)),
    Variant("STL (the mean week instead)", settings={"weekly_days": 10**6}),
    Variant("envelope of past weeks", constants=(Constant("detectors.scoring", "MARGINS", _noughts),)),
    Variant("price channel", with_tokens=False),
    Variant("24 h window", constants=(_weight_of(24),)),
    Variant("6 h window", constants=(_weight_of(6),)),
    Variant("3 h window", constants=(_weight_of(3),)),
    Variant("scale by hour of day", constants=(Constant("detectors.scale", "_LONGEST_BY_HOUR", _nought),)),
    Variant("drop score", constants=(Constant("detectors.scoring", "_DROP_WEIGHT", _nought),)),
    Variant("pooled prior", constants=(Constant("detectors.scale", "_PRIOR_DAYS", lambda _: 1e-9),)),
    Variant("masking of flagged hours", settings={"mask_days": -1}),
    Variant("hysteresis (keeps at what fires)", settings={"keep_score": DetectorSettings().fire_score}),
    Variant("gate", settings={"gate_mean_hours": 0.0, "gate_day_mean_hours": 0.0}),
    Variant("warm-up week", settings={"warmup_days": 0}),
)
"""Each named by what it lacks."""
VARIANTS = (WHOLE, *ABLATIONS)
