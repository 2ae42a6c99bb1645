"""The split of a change as lines of a report: a table from expected to paid, and what it cannot tell."""

from collections.abc import Iterator, Sequence

from agent.evidence import Evidence
from agent.finding import Effect, Finding
from agent.rendering import Ref, Text
from agent.waterfall import ACTUAL, EXPECTED, effect_label


def effect_lines(finding: Finding, split: str, evidence: Sequence[Evidence]) -> Iterator[Text]:
    """Largest effect first; `split` is the id of the evidence that has the amounts."""
    effects = sorted((e for e in finding.effects if e.usd), key=lambda e: -abs(e.usd))
    if not effects:
        yield ("No effect is as large as a cent, or the change could not be split.",)
        return
    uncounted = _has_uncounted(split, evidence)
    yield ("| Step | USD | Effect |",)
    yield ("|---|---:|---|",)
    yield (f"| {EXPECTED} | ", Ref(split, "expected_usd", "usd"), " | |")
    for effect in effects:
        amount = Ref(split, f"{effect.name}_usd", "signed_usd")
        yield (f"| {_label(effect, uncounted=uncounted)} | ", amount, f" | `{effect.name}` |")
    yield (f"| **{ACTUAL}** | **", Ref(split, "actual_usd", "usd"), "** | |")
    yield ("",)
    zeros = len(finding.effects) - len(effects)
    told = f" {zeros} effect{' is' if zeros == 1 else 's are'} zero." if zeros else ""
    total = Ref(split, "delta_usd", "signed_usd")
    yield ("The steps add up to ", total, f", to the cent.{told}", *_unpriced(finding, evidence))
    if uncounted:
        yield ("",)
        yield (
            "For ", Ref(split, "uncounted_usd", "usd"),
            " of what was paid the source reports no request counts, so more requests and longer ones "
            "cannot be told apart: `volume` is tokens there.",
        )  # fmt: skip


def _has_uncounted(split: str, evidence: Sequence[Evidence]) -> bool:
    """Whether a source of the spend counts no requests."""
    return any(e.id == split and e.number("uncounted_usd") is not None for e in evidence)


def _label(effect: Effect, *, uncounted: bool) -> str:
    """In plain words; `volume` is not requests everywhere."""
    label = effect_label(effect.name, effect.usd)
    return f"{label} or tokens" if effect.name == "volume" and uncounted else label


def _unpriced(finding: Finding, evidence: Sequence[Evidence]) -> Text:
    """Tokens that no amount of the report contains."""
    tokens = finding.unpriced_tokens
    told_by = next((e.id for e in evidence if tokens and e.number("unpriced_tokens") == tokens), "")
    if not told_by:
        return ()
    return (" ", Ref(told_by, "unpriced_tokens", "count"), " tokens have no price and are not in any amount.")
