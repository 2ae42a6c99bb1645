"""What a tuning means, in sentences: what changed, what it would have cost, until when, how to undo it."""

from collections.abc import Sequence
from decimal import Decimal

from ledger.window import short_text
from tokensleuth.casebook.tunings import Tuning
from tokensleuth.terminal.text import counted, printable, scope_text, usd
from tokensleuth.tuning.price import Price
from tokensleuth.tuning.raising import LOOKBACK, MOST_TIMES, Raised


def tuning_words(tuning: Tuning) -> str:
    """One line for lists and the digest: what is different for whom, and until when."""
    scope, until = scope_text(dict(tuning.scope.items)), f"until {short_text(tuning.until_at)} UTC"
    if tuning.kind == "planned":
        entry = tuning.calendar_entry()
        return f"{scope}: {printable(entry.what)} is planned for {entry.window}; known {until}"
    return f"{scope}: no alert of {_what_is_quiet(tuning)} {until}"


def raised_words(tuning: Tuning, goal: Raised, height: Decimal, price: Price) -> str:
    """Sentences without a last full stop."""
    said = [f"{tuning_words(tuning)} (this one: {usd(abs(height))})"]
    if goal.held_by == "real":
        said.append("It goes no higher: one of that height was said to be real in the last 4 weeks")
    if goal.held_by == "cap":
        most = f"{MOST_TIMES} times the first one of {usd(goal.first_usd)}"
        said.append(f"An incident of this height still alerts: the threshold is at its most, {most}")
    return ". ".join([*said, price_words(price), "A possible key leak always alerts", undo_words([tuning])])


def price_words(price: Price) -> str:
    """Such as `In the last 28 days it would have kept quiet 2 incidents, $80.12 in all, ...`."""
    lately = f"In the last {LOOKBACK.days} days it would have kept quiet"
    if not price.past:
        return f"{lately} nothing"
    real = f"{len(price.real)} of them said to be real" if price.real else "none of them said to be real"
    return f"{lately} {counted(len(price.past), 'incident')}, {usd(price.usd)} in all, {real}"


def ended_words(ended: Sequence[Tuning]) -> str:
    """Empty where nothing was raised."""
    if not ended:
        return ""
    scopes = "; ".join(f"{scope_text(dict(t.scope.items))} ({_what_is_quiet(t)})" for t in ended)
    return f"Ended, so that it alerts again: the raised threshold of {scopes}"


def unchanged_words(why: str) -> str:
    return f"The threshold stays as it is: {why}"


def undo_words(tunings: Sequence[Tuning]) -> str:
    """How to take it back."""
    return f"Undo: tokensleuth tunings undo {' '.join(t.id for t in tunings)}"


def _what_is_quiet(tuning: Tuning) -> str:
    threshold = tuning.threshold()
    bounds = [f"{usd(threshold.min_usd)}"] if threshold.min_usd is not None else []
    bounds += [f"a score of {threshold.min_score:g}"] if threshold.min_score is not None else []
    what = "drops" if threshold.direction == "down" else "rises"
    return f"{what} below {' and below '.join(bounds)}"
