"""What an operator may set about detection; every default was chosen on development series."""

from dataclasses import dataclass

from ledger.errors import RefusedError


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """Thresholds, gates and spans; one setting for all series."""

    fire_score: float = 5.0
    """A spike opens at this score."""
    keep_score: float = 3.0
    """An open spike stays open while its score is above this."""
    quiet_hours: int = 6
    """A spike closes after so many hours below `keep_score`."""
    rejoin_hours: int = 24
    """A spike that fires again in the same direction within so many hours is the same spike."""
    gate_mean_hours: float = 3.0
    """What strayed in 6 h must be worth so many hours of the series' mean, ..."""
    gate_day_mean_hours: float = 8.0
    """... or what strayed in 24 h so many."""
    min_usd: float = 1.0
    """It must also be worth so many dollars; other metrics have no floor."""
    history_days: int = 60
    """Only so many days before a refit are learnt from."""
    min_days: int = 3
    """Whole days of history under which a series is not scored."""
    weekly_days: int = 7
    """Whole days of history under which a series has no seasonal decomposition."""
    warmup_days: int = 7
    """Days before the range, at most 7, scored first: what began there is neither learnt nor misdated."""
    mask_days: int = 14
    """Flagged hours are kept out of what is learnt for so long; a change that lasts longer is learnt."""
    trees: int = 100
    tree_samples: int = 2048
    forest_rows: int = 20_000
    """Hours of history, over all series, from which the forest is grown."""
    slow_refit_days: int = 7
    """Seasonal shapes and the forest are renewed at this pace, levels and scales daily."""
    max_series: int = 5_000
    """The series of least spend beyond this number are not scored, and are reported as such."""
    merge_hours: int = 6
    """Spikes this close in time may be one incident."""
    explained_share: float = 0.75
    """A scope explains a spike when this share of the spike's excess lies in it."""
    seed: int = 7

    def __post_init__(self) -> None:
        if not 0 < self.keep_score <= self.fire_score:
            raise RefusedError(
                f"keep_score {self.keep_score} must lie above 0 and not above fire_score {self.fire_score}"
            )
        if self.min_days < 3:
            raise RefusedError(f"min_days {self.min_days} must be at least 3: fewer tell no scale")
        if not 0 <= self.warmup_days <= 7:
            raise RefusedError(f"warmup_days {self.warmup_days} must be from 0 to 7")
        if self.quiet_hours < 1 or self.rejoin_hours < self.quiet_hours:
            raise RefusedError(
                f"rejoin_hours {self.rejoin_hours} must be at least quiet_hours {self.quiet_hours}"
            )
