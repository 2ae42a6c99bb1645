"""One Markdown file per cause: what confirms or refutes it, what may be proposed, whom and what to tell.

A playbook is TOML between two `+++` lines, then text for people and the model; docs/playbooks.md says how to
write one. Here are only the schema and the loader.
"""

from playbooks.loading import load_playbooks, playbook_files, read_playbook
from playbooks.parsing import parse_playbook
from playbooks.schema import (
    CAUSES,
    ActionName,
    Cause,
    Origin,
    Party,
    Playbook,
    Rule,
    Verdict,
    Watch,
    WatchedFact,
    verdicts_of,
)

__all__ = [
    "CAUSES",
    "ActionName",
    "Cause",
    "Origin",
    "Party",
    "Playbook",
    "Rule",
    "Verdict",
    "Watch",
    "WatchedFact",
    "load_playbooks",
    "parse_playbook",
    "playbook_files",
    "read_playbook",
    "verdicts_of",
]
