"""Parts of a stored report, which is Markdown that code wrote, as lines without it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.escaping import unescaped
from agent.headings import CULPRITS, MODEL_WORDS

SEEN_BEFORE = "Seen before"
_EVIDENCE = re.compile(r" \([^()]*\bev_\w+\)$")
_MARKS = re.compile(r"(?<!\\)[*`]+")


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a report tells of similar incidents of the past."""

    latest: str
    count: int


def summary(report: str) -> str:
    """The sentence that says what happened without a number; it follows the bold one with the amounts."""
    bold = next((line for line in report.split("\n") if line.startswith("**")), "")
    return unescaped(bold.rpartition(".** ")[2]) if ".** " in bold else ""


def reasons(report: str, most: int) -> Sequence[str]:
    """Why the first culprit has its cause, the strongest reason first, without values."""
    found: list[str] = []
    for line in section(report, CULPRITS)[1:]:
        if not line.startswith("  - ") or len(found) == most:
            break
        found.append(unescaped(_EVIDENCE.sub("", line[4:])))
    return found


def remembered(report: str) -> Remembered | None:
    """None where nothing like it was seen before."""
    told = [line[2:] for line in section(report, SEEN_BEFORE) if line.startswith("- ")]
    return Remembered(unescaped(_EVIDENCE.sub("", told[0])), len(told)) if told else None


def model_words(report: str) -> Sequence[str]:
    """What the model wrote, as far as evidence backs it."""
    return [unescaped(_MARKS.sub("", line)) for line in section(report, MODEL_WORDS)]


def section(report: str, title: str) -> Sequence[str]:
    """The lines under a heading that are not empty."""
    return list(_under(report, f"## {title}"))


def _under(report: str, heading: str) -> Iterator[str]:
    inside = False
    for line in report.split("\n"):
        if line.startswith("## "):
            inside = line == heading
        elif inside and line.strip():
            yield line
