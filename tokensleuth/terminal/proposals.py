"""A proposal in few lines: what on whom, what it brings and costs, until when, its id."""

from collections.abc import Iterator
from typing import cast

from rich.text import Text

from tokensleuth.terminal.text import Document, counted, instant, printable, target_parts, usd, words

MESSAGE_WIDTH = 160
TELLING = ("notify_owner", "mark_expected")
"""Actions that only tell somebody something: there is nothing to undo, and nothing lapses."""


def measure_text(proposal: Document) -> str:
    """The action with its parameters: `set rate limit to 40,000 tokens per minute`."""
    parameters = cast(Document, proposal["parameters"])
    return " ".join([words(proposal["action"]), *_parameters(str(proposal["action"]), parameters)])


def _parameters(action: str, given: Document) -> Iterator[str]:
    match action:
        case "set_rate_limit":
            limits = [f"{given[unit]:,} {words(unit)}" for unit in _LIMITS if unit in given]
            yield f"to {' and '.join(limits)}"
            yield from (f"for {printable(given['model'])}" for _ in ("model",) if "model" in given)
        case "set_budget":
            yield f"of {usd(given['max_usd'])} a {printable(given['period'])}"
        case "downgrade_model":
            yield f"from {printable(given['from_model'])} to {printable(given['to_model'])}"
        case "notify_owner":
            yield printable(given["owner"])
        case "mark_expected":
            yield f"until {instant(given['until'])} UTC"
        case "fix_price":
            yield f"of {printable(given['model'])}: {printable(given['reason'])}"
        case _:
            yield from (f"{words(name)} {printable(value)}" for name, value in given.items())


_LIMITS = ("tokens_per_minute", "requests_per_minute")


def proposal_lines(proposal: Document) -> Text:
    """What and on whom; what it saves, refuses and whether it can be undone; until when, and its id."""
    state = f" ({printable(proposal['state'])})" if "state" in proposal else ""
    told = "; ".join(consequences(proposal))
    return Text.assemble(
        (measure_text(proposal), "bold"),
        f": {', '.join(target_parts(proposal['target']))}{state}\n",
        *([f"{told}\n"] if told else []),
        *_message(proposal),
        (f"{printable(proposal['id'])}{_expiry(proposal)}", "dim"),
    )


def consequences(proposal: Document) -> Iterator[str]:
    """What it saves and refuses a day, and whether it can be undone; nothing that does not apply."""
    if proposal["expected_saving_usd_per_day"] is not None:
        yield f"saves {usd(proposal['expected_saving_usd_per_day'])} a day"
    if refused := cast(int | None, proposal["requests_refused_per_day"]):
        yield f"refuses {counted(refused, 'request')} a day"
    elif refused is None and proposal["expected_saving_usd_per_day"] is not None:
        yield "how many requests it refuses is not known"
    if proposal["action"] not in TELLING:
        yield "can be undone" if proposal["reversible"] else "cannot be undone"


def _expiry(proposal: Document) -> str:
    return "" if proposal["action"] in TELLING else f", expires {instant(proposal['expires_at'])} UTC"


def _message(proposal: Document) -> Iterator[tuple[str, str]]:
    """The start of what the owner would read; the whole of it is in the JSON."""
    if message := printable(cast(Document, proposal["parameters"]).get("message", "")):
        shown = message if len(message) <= MESSAGE_WIDTH else message[: MESSAGE_WIDTH - 3].rstrip() + "..."
        yield f'"{shown}"\n', "italic"
