"""Who is told of which incident, and when: severity, routes, quiet hours, the hourly budget and storms."""

from tokensleuth.announcing.announce import AlertRules, Announced, announce
from tokensleuth.announcing.severity import Usual, severity

__all__ = ["AlertRules", "Announced", "Usual", "announce", "severity"]
