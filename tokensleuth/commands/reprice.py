"""`tokensleuth reprice`: what stored usage costs by the prices in force now, shown, then written."""

from rich.console import RenderableType

from ledger.money import exact_usd_text
from ledger.prices.repricing import RepriceLine, RepriceReport
from tokensleuth.app import App
from tokensleuth.clock import utc_now
from tokensleuth.output import Outcome
from tokensleuth.terminal import plain_table


def run(app: App, *, apply: bool) -> Outcome:
    """Nothing is written without `apply`."""
    with app.ledger() as ledger:
        report = ledger.reprice(app.price_book(), now=utc_now(), apply=apply)
    document = _document(report)
    return Outcome(document, _shown(report, document))


def _document(report: RepriceReport) -> dict[str, object]:
    before = sum(line.old_computed_pico or 0 for line in report.lines)
    after = sum(line.new_computed_pico or 0 for line in report.lines)
    return {
        "applied": report.applied,
        "rows": sum(line.cells for line in report.lines),
        "before_usd": exact_usd_text(before),
        "after_usd": exact_usd_text(after),
        "delta_usd": exact_usd_text(after - before),
        "unpriced_tokens_before": sum(line.old_unpriced_tokens for line in report.lines),
        "unpriced_tokens_after": sum(line.new_unpriced_tokens for line in report.lines),
        "items": [_item(line) for line in report.lines],
    }


def _item(line: RepriceLine) -> dict[str, object]:
    return {
        "provider": line.provider,
        "model": line.model,
        "service_tier": line.service_tier,
        "rows": line.cells,
        "billed_rows": line.billed_cells,
        "before_usd": exact_usd_text(line.old_computed_pico or 0),
        "after_usd": exact_usd_text(line.new_computed_pico or 0),
        "unpriced_tokens_before": line.old_unpriced_tokens,
        "unpriced_tokens_after": line.new_unpriced_tokens,
        "before_price_version": ", ".join(line.old_versions) or None,
        "after_price_version": ", ".join(line.new_versions) or None,
    }


def _shown(report: RepriceReport, document: dict[str, object]) -> list[RenderableType]:
    if not report.lines:
        return ["Stored costs are what the price book says; nothing to re-cost."]
    rows = [
        (
            line.provider,
            line.model,
            line.service_tier,
            f"{line.cells:,}",
            *_amounts(line),
            f"{line.new_unpriced_tokens:,}",
        )
        for line in report.lines
    ]
    header = ("provider", "model", "tier", "hours", "was USD", "is USD", "unpriced tokens left")
    verdict = (
        "re-costed; the old costs are kept in the history"
        if report.applied
        else "nothing written; add --apply"
    )
    return [plain_table(header, rows), f"{document['delta_usd']} USD change in computed cost: {verdict}."]


def _amounts(line: RepriceLine) -> tuple[str, str]:
    return exact_usd_text(line.old_computed_pico or 0), exact_usd_text(line.new_computed_pico or 0)
