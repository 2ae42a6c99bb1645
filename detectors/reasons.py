"""Why an hour was flagged, in words, from the terms kept with the spike."""

from collections.abc import Mapping

from detectors.envelope import MARGINS, WEEKS
from detectors.incidents import Spike
from detectors.scale import WINDOWS
from detectors.scoring import DROP, FOREST, PRICE, weighed_terms, window_term

_WORTH_TELLING = 1.0
"""A forest that saw more than one such hour in ten has nothing to add."""


def why(spike: Spike) -> str:
    """What led the score at its highest hour, such as "3 h sum 9.4 sigmas above ...; 1 hour in 4,000 ..."."""
    if not spike.terms:
        return ""
    weighed = weighed_terms(spike.terms)
    leading = max(weighed, key=lambda name: weighed[name])
    said = [_rises().get(leading, _other(leading, spike.terms)).format(z=spike.terms[leading])]
    rarity = spike.terms.get(FOREST, 0.0)
    if leading != PRICE and rarity >= _WORTH_TELLING:
        said.append(f"1 hour in {round(10**rarity):,} looks as unusual to the isolation forest")
    return "; ".join(said)


def _rises() -> Mapping[str, str]:
    told = {}
    for window, margin in zip(WINDOWS, MARGINS, strict=True):
        beyond = f"{margin:g} times "
        most = f"{beyond}the most that the same hours of the last {WEEKS} weeks saw"
        told[window_term(window)] = f"{window} h sum {{z:.1f}} sigmas above {most}"
    return told


def _other(term: str, terms: Mapping[str, float]) -> str:
    if term == PRICE:
        side = "above" if terms[PRICE] > 0 else "below"
        return f"price per token {abs(terms[PRICE]):.1f} sigmas {side} that of the last 14 days"
    if term == DROP:
        return f"6 h short of what was expected, {terms[DROP]:.0%} of the way from its usual worst to nothing"
    return ""
