"""Stands in."""

from tokensleuth.schedule.report import DutyReport


def perform(app, slots, now):
    return DutyReport("not yet")
