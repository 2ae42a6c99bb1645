"""What is said of tokens without a price: how many, of which models, and where they spiked."""

from collections.abc import Iterator, Sequence
from typing import cast

from rich.console import RenderableType
from rich.text import Text

from tokensleuth.terminal.text import Document, counted, parts, period, printable, scope_text

MAX_NAMED = 5
REMEDY = "Add a [[model_alias]] or [[price_override]] to the settings, then: tokensleuth reprice --apply"


def unpriced_block(document: Document, *, spikes: str) -> Iterator[RenderableType]:
    """Nothing where every token has a price; `spikes` names the list that holds those in tokens."""
    tokens = cast(int, document.get("unpriced_tokens", 0))
    if not tokens:
        return
    models = cast(Sequence[str], document["unpriced_models"])
    named = ", ".join(printable(model) for model in models[:MAX_NAMED])
    more = f" and {len(models) - MAX_NAMED} more" if len(models) > MAX_NAMED else ""
    told = [f"! {counted(tokens, 'token')} of {named}{more} have no price and are in no amount above."]
    told += [_spike(s) for s in parts(document, spikes) if s.get("actual_tokens") is not None]
    yield Text("\n".join([*told, f"  {REMEDY}"]), style="yellow")


def _spike(spike: Document) -> str:
    scope = scope_text(cast(Document, spike["series"])["scope"])
    amounts = f"{spike['actual_tokens']:,} tokens instead of {spike['expected_tokens']:,}"
    return f"  Spike in them: {scope}, {period(spike)}: {amounts}, nobody knows for how many dollars."
