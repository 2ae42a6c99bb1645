"""What one person is told: why a click did not count, what `/investigate` found, what an owner is asked."""

from collections.abc import Sequence

from tokensleuth.casebook.views import IncidentView
from tokensleuth.slackapp.alert import rendered
from tokensleuth.slackapp.blocks import context, lines_section, plain_section, section
from tokensleuth.slackapp.escaping import code, plain, prose
from tokensleuth.slackapp.limits import Rendered
from tokensleuth.slackapp.look import Look
from tokensleuth.slackapp.sentences import NAME
from tokensleuth.slackapp.storm import largest_lines
from tokensleuth.terminal.text import counted

HOW_TO_WRITE = (
    "`/investigate last-24h`, `/investigate 2026-11-01..2026-11-07` (days, both included) or "
    "`/investigate 2026-11-01T00:00Z..2026-11-02T06:00Z`"
)
LISTED = 10
A_BLOCK = 5
TOLD = 1000


def not_counted(told: str) -> Rendered:
    """To who came too late, is not on the list, or asked for what cannot be: `told` is the door's reason."""
    return _answer(f"*Your click did not count:* {prose(told, TOLD)}.")


def not_ours() -> Rendered:
    """To a click with a value that we did not sign, or on a message that we did not post."""
    return _answer(
        "*Your click did not count:* this button is none of ours any more. "
        "Use the newest message of the incident, or the inbox."
    )


def counted_as(told: str) -> Rendered:
    """To who decided, where the channel does not show it yet."""
    return _answer(f"{prose(told, TOLD)}.")


def looking(time_range: str) -> Rendered:
    """At once, to `/investigate`."""
    return _answer(f"Looking at {code(time_range)}. What is found is posted here.")


def wrong_range(told: str) -> Rendered:
    """`told` says what was wrong with it."""
    return _answer(f"*Nothing was looked at:* {prose(told, TOLD)}", f"Write {HOW_TO_WRITE}.")


def failed(time_range: str, told: str) -> Rendered:
    """The investigation could not be done, or only now and not later."""
    return _answer(f"*Could not be looked at:* {code(time_range)}: {prose(told, TOLD)}")


def found(time_range: str, views: Sequence[IncidentView], look: Look, *, of: int | None = None) -> Rendered:
    """The result of `/investigate`: a short list in the order handed in; `of` how many, where not all are."""
    count = len(views) if of is None else of
    if not views:
        return _answer(f"Nothing unusual in {code(time_range)}: no hour stands out from the weeks before.")
    head = f"*{counted(count, 'incident')} in* {code(time_range)}"
    lines = list(largest_lines(views[:LISTED], look))
    rest = count - len(lines)
    link = look.link("incidents", "all in the inbox") or "all with `tokensleuth incidents`"
    blocks = [
        section(head),
        *(lines_section(lines[i : i + A_BLOCK]) for i in range(0, len(lines), A_BLOCK)),
        context(f"{f'{rest} more: ' if rest else 'See '}{link}"),
    ]
    return rendered(f"{counted(count, 'incident')} in {prose(time_range, NAME)}", blocks)


def owner_notice(owner: str, message: str, incident_id: str, look: Look) -> Rendered:
    """A question to an owner that somebody approved."""
    link = look.link(f"incidents/{incident_id}", "Look at it in the inbox")
    about = f"About incident {code(incident_id, 70)}. A person approved this question; answer in this thread."
    return rendered(
        prose(f"To the owner, {owner}: {message}", TOLD),
        [
            section(f"{look.mentions}*A question to* {code(owner, NAME)}"),
            plain_section(plain(message, 2900)),
            context(about, *([link] if link else [])),
        ],
    )


def _answer(*lines: str) -> Rendered:
    return rendered(lines[0].replace("*", ""), [lines_section(lines)])
