"""Text as both databases take it: what comes from outside may hold characters that one of them refuses."""

import re

_REFUSED = re.compile("[\x00\ud800-\udfff]")
"""PostgreSQL keeps no NUL, and halves of a surrogate pair cannot be encoded."""


def storable(text: str, most: int | None = None) -> str:
    """The text with a mark in place of such characters, cut after `most`."""
    return _REFUSED.sub("\ufffd", text)[:most]
