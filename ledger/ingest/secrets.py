"""Keys that must not be stored or shown: how they begin, and how a text is shown without them."""

import re

_PREFIXES = (
    r"Bearer\s", "sk[-_]", "pk[-_]live", "rk[-_]live", "xox[a-z]-", "xapp-", "ghp_", "gho_", "github_pat_",
    "glpat-", "gsk_", "hf_", "AIza", "AKIA", "ASIA", "eyJ",
)  # fmt: skip
"""How the keys of providers and gateways begin; a `key_id` is an id or a hash, never one of these."""

NOT_AN_ID = "looks like a secret; send an id or a hash instead"
_BEGINS = f"({'|'.join(_PREFIXES)})"
_IN_TEXT = rf"\b{_BEGINS}[\w.~+/=-]{{6,}}"
"""A secret inside a longer text; the same pattern works in Python and in DuckDB."""

_WORD = re.compile(_IN_TEXT)
_START = re.compile(rf"\s*{_BEGINS}")
_SHOWN_CHARACTERS = 120


def masked_text(text: str) -> str:
    """The same text, of anything like a secret only the beginning."""
    return _WORD.sub(r"\1…", text)


def shortened(text: str, limit: int = _SHOWN_CHARACTERS) -> str:
    """A raw value as it may be shown: one line, bounded, and of anything like a secret only the beginning."""
    flat = masked_text(text.replace("\r", " ").replace("\n", " ").rstrip())
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"


def masked(secret: str) -> str:
    """A value known to be a secret: only how it begins."""
    found = _START.match(secret)
    return f"{found[1] if found else ''}…"


def looks_secret(column: str) -> str:
    """SQL that tells whether a column holds a secret."""
    return f"regexp_matches(ltrim({column}), '^{_BEGINS}')"


def masked_sql(column: str) -> str:
    """SQL of a text in which of anything like a secret only the beginning is left."""
    return f"regexp_replace({column}, '{_IN_TEXT}', '\\1…', 'g')"
