"""Text from data made safe for Markdown: a key or a team may be called anything."""

import re

_SPECIAL = re.compile(r"[\\`*_\[\]<>#|~&@]|:(?=//)|(?<=www)\.", re.IGNORECASE)
"""What starts a span, a link, a heading, an entity or a cell of a table; and, where addresses become links by
themselves (GFM), what makes an address."""


def escaped(text: str) -> str:
    """The text on one line, shown by Markdown as it is; what cannot be printed becomes a space."""
    line = "".join(c if c.isprintable() else " " for c in text)
    return _SPECIAL.sub(r"\\\g<0>", line)


def unescaped(text: str) -> str:
    """The text again, for where it is not read as Markdown."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)
