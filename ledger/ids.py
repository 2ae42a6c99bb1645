"""Identifiers made from facts: the same facts give the same id on every run."""

import hashlib
import json


def fact_id(prefix: str, *facts: object) -> str:
    """`prefix_` and 12 hex digits of the facts' digest; facts are anything `json` or `str` can write."""
    text = json.dumps(facts, sort_keys=True, default=str, separators=(",", ":"))
    return f"{prefix}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
