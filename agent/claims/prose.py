"""Prose of a model, sentence by sentence: kept with its references, or dropped with the reason."""

import re
from dataclasses import dataclass

from agent.claims.judging import Kept, judge
from agent.claims.known import Known
from agent.claims.masking import Masked, mask
from agent.claims.references import Refused
from agent.claims.sentences import split, unmasked
from agent.rendering import Text

MOST_CHARACTERS = 4000
MOST_SENTENCES = 40
_LABEL = re.compile(r"(?<![\w{.\-/])E\d{1,3}(?![\w}/\-]|\.\w)", re.ASCII)
SHOWN = 300
"""So much of a dropped sentence is kept for the record."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A sentence that is not shown."""

    sentence: str
    reason: str


@dataclass(frozen=True, slots=True)
class CheckedProse:
    """What is left of a text."""

    kept: tuple[Text, ...]
    """One text per sentence; numbers are references, what is free prose is escaped for Markdown."""
    dropped: tuple[Dropped, ...]
    cited: tuple[str, ...]
    """Ids of the evidence that the kept sentences rest on, each once."""


def check_prose(text: str, known: Known) -> CheckedProse:
    """Keep the sentences that the evidence backs; the first 4,000 characters and 40 sentences are read."""
    sentences = list(split(mask(_labelled(text[:MOST_CHARACTERS], known), known.names)))
    is_cut = len(text) > MOST_CHARACTERS
    cut = [Dropped("", f"beyond {MOST_CHARACTERS} characters")] if is_cut else []
    if is_cut and sentences:
        cut.insert(0, _dropped(sentences.pop(), f"is cut at {MOST_CHARACTERS} characters"))
    judged = [(s, judge(s, known)) for s in sentences[:MOST_SENTENCES]]
    kept = [found for _, found in judged if isinstance(found, Kept)]
    return CheckedProse(
        kept=tuple(k.text for k in kept),
        dropped=(
            *(_dropped(s, found.reason) for s, found in judged if isinstance(found, Refused)),
            *(_dropped(s, f"is beyond {MOST_SENTENCES} sentences") for s in sentences[MOST_SENTENCES:]),
            *cut,
        ),
        cited=tuple(dict.fromkeys(id_ for k in kept for id_ in k.cited)),
    )


def _labelled(text: str, known: Known) -> str:
    """Labels of evidence as references to it, where the braces were forgotten and nobody is called so."""

    def braced(match: re.Match[str]) -> str:
        label = match[0]
        is_label = label in known.evidence and label.lower() not in known.names.by_lower
        return f"{{{label}}}" if is_label else label

    return _LABEL.sub(braced, text)


def _dropped(sentence: Masked, reason: str) -> Dropped:
    return Dropped(unmasked(sentence)[:SHOWN], reason)
