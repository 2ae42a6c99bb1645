"""The message of a notice: a budget, data that stopped, a source that fails."""

from ledger.window import short_text
from tokensleuth.casebook.notices import KeptNotice
from tokensleuth.slackapp.alert import rendered
from tokensleuth.slackapp.blocks import context, header, section
from tokensleuth.slackapp.escaping import plain, prose
from tokensleuth.slackapp.limits import Rendered
from tokensleuth.slackapp.look import Look

_LINE = 500
_MOST_LINES = 12
_TITLE = 140


def bulletin(kept: KeptNotice, what: str, look: Look) -> Rendered:
    """`what` is opened or closed."""
    notice = kept.notice
    title = f"Over: {notice.title}" if what == "closed" else notice.title
    lines = [prose(line, _LINE) for line in notice.lines[:_MOST_LINES]]
    left = len(notice.lines) - len(lines)
    told = [*lines, f"and {left} lines more in the inbox"] if left > 0 else lines
    since = f"since {short_text(kept.opened_at)} UTC"
    until = f", over since {short_text(kept.closed_at)} UTC" if kept.closed_at else ""
    link = look.link("", "Open the inbox")
    blocks = [
        header(plain(title, _TITLE)),
        *([section("\n".join(told))] if told else []),
        context(", ".join(filter(None, [f"{notice.severity} severity", since + until, link]))),
    ]
    return rendered(prose(title, _TITLE), blocks)
