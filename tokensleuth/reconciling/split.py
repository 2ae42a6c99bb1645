"""The difference of a run as evidence: both sides, its place in the closed list of effects, and the days."""

from dataclasses import dataclass
from decimal import Decimal

from agent.evidence import Evidence
from agent.finding import Effect
from ledger.ids import fact_id
from ledger.money import PICO_PER_CENT, cents_that_sum, exact_usd_text
from ledger.usage import TOKEN_CLASSES
from tokensleuth.reconciling.items import Item
from tokensleuth.reconciling.judging import Judged
from tokensleuth.reconciling.reasons import KINDS
from tokensleuth.reconciling.runs import Run
from tools.split import EFFECTS, EffectName

SPLIT, DAYS = "effects", "reconcile"
"""Tools of the two pieces of evidence; pages look for the split under the first."""
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Split:
    """Dollars and cents of an incident: the effects add up to its difference."""

    expected_usd: Decimal
    """What was billed."""
    actual_usd: Decimal
    """What the ledger counts."""
    effects: tuple[Effect, ...]

    @property
    def delta_usd(self) -> Decimal:
        return self.actual_usd - self.expected_usd


def split_of(run: Run) -> Split:
    """What the reasons of the days explain, each in its effect; what they leave over is `price`.

    Expected and actual are rounded to cents first, so that they and the effects agree to the cent.
    """
    expected, actual = _to_cent(run.billed_pico), _to_cent(run.counted_pico)
    parts: dict[EffectName, int] = dict.fromkeys(EFFECTS, 0)
    for judged in run.days:
        effect, explained = _explained(judged)
        parts[effect] += explained
        parts["price"] += judged.item.gap_pico - explained
    # The difference of two rounded amounts may be a cent off the rounded difference.
    parts["price"] += (actual - expected) - sum(parts.values())
    cents = cents_that_sum(list(parts.values()), actual - expected)
    effects = tuple(
        Effect(name=name, usd=Decimal(cent) * _CENT) for name, cent in zip(parts, cents, strict=True)
    )
    return Split(_usd(expected), _usd(actual), effects)


def _explained(judged: Judged) -> tuple[EffectName, int]:
    """The effect, and how much of the difference the reason takes away."""
    explained, item = judged.explained, judged.item
    if explained is None:
        return "price", 0
    if explained.reason in ("gateway_price", "late_data", "not_billed", "unexplained"):
        return KINDS[explained.reason].effect, item.gap_pico
    ours_less_predicted = item.computed_pico - explained.predicted_pico
    return KINDS[explained.reason].effect, ours_less_predicted


def split_evidence(run: Run, split: Split) -> Evidence:
    """The amounts by name, as the page and the report look them up."""
    arguments = {"provider": run.provider, "model": run.model, **run.window.as_json()}
    facts: dict[str, Decimal | int | float | str] = {
        "expected_usd": split.expected_usd,
        "actual_usd": split.actual_usd,
        "delta_usd": split.delta_usd,
        **{f"{effect.name}_usd": effect.usd for effect in split.effects},
    }
    return Evidence(
        id=fact_id("ev", SPLIT, run.id, arguments),
        tool=SPLIT,
        arguments=dict(arguments),
        status="ok",
        window=run.window,
        where=run.scope,
        facts=facts,
    )


def days_evidence(run: Run) -> Evidence:
    """A row for each day and model: both sides, by class where the bill has classes, and the reason."""
    arguments = {"provider": run.provider, "model": run.model, **run.window.as_json()}
    explained = run.explained
    return Evidence(
        id=fact_id("ev", DAYS, run.id, arguments),
        tool=DAYS,
        arguments=dict(arguments),
        status="ok",
        window=run.window,
        where=run.scope,
        rows=tuple(_row(judged) for judged in run.days),
        facts={
            "days": len({judged.item.day for judged in run.days}),
            "models": len(run.models),
            "unpriced_tokens": sum(judged.item.unpriced_tokens for judged in run.days),
            **explained.facts,
        },
    )


def _row(judged: Judged) -> dict[str, Decimal | int | float | str | dict[str, str] | None]:
    item, explained = judged.item, judged.explained
    return {
        "day": item.day.isoformat(),
        "model": item.model,
        "billed_usd": _usd(item.billed.pico),
        "ledger_usd": _usd(item.counted_pico),
        "difference_usd": _usd(item.gap_pico),
        "reason": explained.reason if explained else None,
        "why": explained.told if explained else None,
        "predicted_usd": _usd(explained.predicted_pico) if explained else None,
        **_classes(item),
        "lines": "; ".join(item.billed.texts),
    }


def _classes(item: Item) -> dict[str, Decimal | int | float | str | dict[str, str] | None]:
    """Of classes with anything in them."""
    found: dict[str, Decimal | int | float | str | dict[str, str] | None] = {}
    for i, name in enumerate(TOKEN_CLASSES):
        billed = item.billed.by_class[i] if item.billed.by_class else None
        if not (item.tokens[i] or billed):
            continue
        found[f"{name}_tokens"] = item.tokens[i]
        found[f"{name}_usd"] = _usd(item.rated[i])
        found[f"billed_{name}_usd"] = None if billed is None else _usd(billed)
        if item.billed.quantities is not None:
            found[f"billed_{name}_tokens"] = int(item.billed.quantities[i])
    return found


def _to_cent(pico: int) -> int:
    """Rounded to whole cents, as 1e-12 USD."""
    return round(Decimal(pico) / PICO_PER_CENT) * PICO_PER_CENT


def _usd(pico: int) -> Decimal:
    """Dollars with every digit that matters, two decimals at least."""
    return Decimal(exact_usd_text(pico))
