"""The last section of a report: who investigated, what it took, and what of it could not be used."""

from collections.abc import Iterator

from agent.escaping import escaped
from agent.finding import Finding
from agent.llm.allowance import Spent
from agent.rendering import Text
from agent.statement import Statement
from ledger.money import usd_from_pico

NO_MODEL = "No language model is configured: rules and evidence alone wrote this report."


def who_looked(finding: Finding, statement: Statement | None) -> Iterator[Text]:
    """Lines whose numbers are about the investigation itself."""
    if finding.model is None:
        yield (NO_MODEL,)
    elif not finding.spent.model_calls:
        yield (f"The model {escaped(finding.model)} gave no answer; the rules alone wrote this report.",)
    else:
        yield (f"The model {escaped(finding.model)} was asked: {spent_text(finding.spent)}.",)
        yield from _used(finding, statement)
    for reason in finding.degraded_because:
        yield (f"Degraded: {escaped(reason)}.",)
    if finding.refused:
        count = len(finding.refused)
        told = "; ".join(sorted({f"{r.action.replace('_', ' ')}: {r.reason}" for r in finding.refused}))
        yield (f"The policy refused {count} measure{'s' * (count > 1)} the model wanted ({told}).",)


def _used(finding: Finding, statement: Statement | None) -> Iterator[Text]:
    if statement is None:
        yield ("Its answer was not used; the rules alone wrote this report.",)
    elif count := len(statement.dropped):
        which = (
            f"{count} sentences of it that no evidence backs are" if count > 1 else "One sentence of it is"
        )
        yield (f"{which} left out{'' if count > 1 else ': no evidence backs it'}.",)
    turned = [c for c in finding.culprits if c.decided_by == "llm"]
    if turned:
        yield ("Where only the model names a culprit or its cause, nothing but a message is proposed.",)


def spent_text(spent: Spent) -> str:
    """Calls, tokens and dollars in words."""
    calls = f"{spent.model_calls} call{'s' * (spent.model_calls != 1)}"
    tokens = f"{spent.input_tokens:,} tokens in and {spent.output_tokens:,} out"
    known = f"${usd_from_pico(spent.cost_pico):,.4f}"
    unknown = f"{spent.unpriced_calls} of them without a known price"
    if spent.unpriced_calls == spent.model_calls:
        return f"{calls}, {tokens}, price unknown"
    return f"{calls}, {tokens}, {known}" + (f", {unknown}" if spent.unpriced_calls else "")
