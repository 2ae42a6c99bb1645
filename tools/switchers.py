"""The tool that looks at the keys that moved to another model: does the same work take more tokens there?"""

from math import exp, isfinite

from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from ledger.window import Window, instant_text
from tools.answer import OTHER, Row, Scalar, ToolAnswer, answer, asked, usd
from tools.comparison import Comparison
from tools.event_effects import price_ratio
from tools.switch_cohort import Cohort, Switcher, find_cohort
from tools.switch_statistics import CohortTest, tokenizer_verdict

MOST_ROWS = 20


def switchers(reader: Reader, window: Window, *, where: Scope = EVERYTHING) -> ToolAnswer:
    """Test on the keys that moved to another model version whether it counts more tokens for the same work.

    Use it when work moved between models and tokens per request rose. Rows: `key_id`, `at`, `from_model`,
    `to_model`, `share_before`, `share_after` (on the old model), `input_ratio`, `output_ratio`,
    `characters_ratio`, `requests_ratio` (after over before, per request), `actual_usd`. Facts: `switchers`
    from `switched_from` to `switched_to`, `steady_keys`, `first_switch_at`; prompt tokens per request
    `tokenizer_ratio`, `tokenizer_ratio_low` (95 %), `share_of_keys_over` (over 1.05), `spread` between keys;
    `tokenizer_verdict` 1 borne out, 0.5 consistent, 0 refuted; `characters_ratio` (1: same text),
    `tokens_per_character_ratio`, `output_ratio`, `switched_price_ratio`, `switched_requests_ratio`.
    `no_data`: no key moved, so no hosted model's tokenizer explains the change; of keys whose source counts
    no requests nothing is known.
    """
    cohort = find_cohort(reader, window, where=where)
    compared = Comparison(window, ())
    arguments = asked(window, where)
    if cohort is None:
        return answer("switchers", arguments, compared, where, facts={"switchers": 0}, found=False)
    return answer(
        "switchers",
        arguments,
        compared,
        where,
        rows=_rows(cohort),
        facts=_facts(cohort, price_ratio(reader, cohort, where)),
    )


def _facts(cohort: Cohort, price_ratio: float | None) -> dict[str, Scalar]:
    tokens, requests = cohort.test("input_per_request"), cohort.test("requests")
    per_character = cohort.per_character()
    return {
        "switchers": tokens.keys,
        "switched_from": cohort.old,
        "switched_to": cohort.new,
        "first_switch_at": instant_text(min(s.at for s in cohort.switchers)),
        "tokenizer_ratio": round(tokens.ratio, 4),
        "tokenizer_ratio_low": round(tokens.low, 4),
        "spread": round(tokens.spread, 4),
        "share_of_keys_over": round(tokens.share_over, 4),
        "tokenizer_verdict": tokenizer_verdict(
            tokens, per_character=per_character, price_ratio=price_ratio, requests_ratio=requests.ratio
        ),
        "characters_ratio": _median(cohort.test_known("characters_per_request")) if per_character else None,
        "tokens_per_character_ratio": _median(per_character),
        "output_ratio": _median(cohort.test_known("output_per_request")),
        "switched_price_ratio": price_ratio,
        "switched_requests_ratio": _median(requests),
        "steady_keys": int(cohort.steady["requests"].shape[1]),
    }


def _median(test: CohortTest | None) -> float | None:
    return round(test.ratio, 4) if test else None


def _rows(cohort: Cohort) -> list[Row]:
    shown, rest = cohort.switchers[:MOST_ROWS], cohort.switchers[MOST_ROWS:]
    rows = [_row(s) for s in shown]
    if rest:
        spent = usd(round(sum(s.cost_pico for s in rest)))
        rows.append({"key_id": OTHER, "keys": len(rest), "actual_usd": spent})
    return rows


def _row(switcher: Switcher) -> Row:
    return {
        "key_id": switcher.move.key,
        "at": instant_text(switcher.at),
        "from_model": switcher.move.old,
        "to_model": switcher.move.new,
        "share_before": round(switcher.move.share_before, 4),
        "share_after": round(switcher.move.share_after, 4),
        "input_ratio": _ratio(switcher.input_per_request),
        "output_ratio": _ratio(switcher.output_per_request),
        "characters_ratio": _ratio(switcher.characters_per_request),
        "requests_ratio": _ratio(switcher.requests),
        "actual_usd": usd(round(switcher.cost_pico)),
    }


def _ratio(logarithm: float) -> float | None:
    return round(exp(logarithm), 4) if isfinite(logarithm) else None
