"""The tool that splits the change in cost into its effects, to the cent."""

from decimal import Decimal

from ledger.money import cents_text, cents_that_sum
from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from ledger.window import Window
from tools.answer import Row, Scalar, ToolAnswer, answer, asked
from tools.factors import counted_by_tokens
from tools.split import EFFECTS, MECHANISMS, Split
from tools.study import Study, study_change


def effects(
    reader: Reader, window: Window, *, where: Scope = EVERYTHING, expected_pico: int | None = None
) -> ToolAnswer:
    """Split the change in a scope's cost into 13 effects that add up to it to the cent.

    Use it first: the largest effect says which kind of cause to look for. The change is `actual_usd` less
    `expected_usd`; expected is the detector's forecast where given, else `mean_usd`, the mean of the same
    hours in up to 4 earlier weeks (else days). Rows: `effect`, `usd`; negative lowers cost. Facts: these
    three, `delta_usd` (the change) and each effect as `<effect>_usd`. `volume` is more or fewer requests of
    those known before; `new_entities` and `gone_entities` keys, teams, projects or features that appeared or
    stopped; `trend` the mean less the forecast. Where a source counts no requests, `volume` is tokens, and
    `uncounted_usd` is what was paid there. `no_data`: no usage now or before. It does not say where: use
    slices.
    """
    return effects_of(study_change(reader, window, where), expected_pico=expected_pico)


def effects_of(study: Study, *, expected_pico: int | None = None) -> ToolAnswer:
    """The answer of `effects` about a change that was studied already."""
    rows, facts = _table(study.split, expected_pico)
    return answer(
        "effects",
        asked(study.compared.window, study.where, expected_pico=expected_pico),
        study.compared,
        study.where,
        rows=rows,
        facts=facts,
        found=len(study.split.leaves) > 0,
    )


def _table(split: Split, expected_pico: int | None) -> tuple[list[Row], dict[str, Scalar]]:
    actual = sum(split.leaves.after.cost_pico.tolist())
    mean = sum(split.leaves.before.cost_pico.tolist())
    expected = mean if expected_pico is None else expected_pico
    parts = [*(split.total_pico(m) for m in MECHANISMS), mean - expected]
    cents = cents_that_sum(parts, actual - expected)
    rows: list[Row] = [{"effect": name, "usd": _usd(c)} for name, c in zip(EFFECTS, cents, strict=True)]
    actual_cents = cents_that_sum([actual], actual)[0]
    facts: dict[str, Scalar] = {
        "actual_usd": _usd(actual_cents),
        "expected_usd": _usd(actual_cents - sum(cents)),
        "mean_usd": _usd(cents_that_sum([mean], mean)[0]),
        "delta_usd": _usd(sum(cents)),
        "uncounted_usd": _uncounted_usd(split),
    }
    return rows, facts | {f"{name}_usd": _usd(c) for name, c in zip(EFFECTS, cents, strict=True)}


def _uncounted_usd(split: Split) -> Decimal | None:
    """What was paid in leaves whose change is told by tokens; None where requests are known everywhere."""
    by_tokens = counted_by_tokens(split.leaves.before, split.leaves.after)
    paid = sum(split.leaves.after.cost_pico[by_tokens].tolist())
    return _usd(cents_that_sum([paid], paid)[0]) if by_tokens.any() else None


def _usd(cents: int) -> Decimal:
    return Decimal(cents_text(cents))
