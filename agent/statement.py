"""The model's own words, sentence by sentence held against the evidence; what is not backed is not shown."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from agent.claims.known import Known
from agent.claims.prose import CheckedProse, Dropped, check_prose
from agent.dialogue.submission import Submission
from agent.rendering import Piece, Ref, Text
from playbooks import CAUSES, Cause

SPOKEN: dict[Cause, tuple[str, ...]] = {
    "key_leak": ("leaked", "stolen key", "key theft"),
    "runaway_loop": ("endless loop", "infinite loop"),
    "retry_storm": ("retry loop",),
    "accounting_artifact": ("accounting error", "counted twice", "double counted"),
    "normal_variation": ("normal variation", "false alarm", "nothing happened"),
}
"""How people call some causes beside their names."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What of the model's words may be shown."""

    summary: tuple[Text, ...]
    reasons: tuple[tuple[Text, ...], ...]
    ruled_out: tuple[tuple[Cause, tuple[Text, ...]], ...]
    questions: tuple[tuple[Text, ...], ...]
    cited: frozenset[str]
    """Evidence that the reasons shown refer to."""
    dropped: tuple[Dropped, ...]


def checked_statement(submission: Submission, known: Known) -> Statement:
    """Check every sentence; one that names a cause nobody was blamed for is dropped too."""
    told = {c.cause for c in submission.culprits}
    summary = _checked(submission.summary, known, told)
    reasons = [_checked(text, known, told) for text in submission.reasons]
    ruled = [(r.cause, _checked(r.why, known, told | {r.cause})) for r in submission.ruled_out]
    questions = [
        _checked(text.replace("?", "."), known, told, asks=True) for text in submission.open_questions
    ]
    every = [summary, *reasons, *(checked for _, checked in ruled), *questions]
    return Statement(
        summary=summary.kept,
        reasons=tuple(c.kept for c in reasons if c.kept),
        ruled_out=tuple((cause, c.kept) for cause, c in ruled if c.kept and cause not in told),
        questions=tuple(tuple(_asked(t) for t in c.kept) for c in questions if c.kept),
        cited=frozenset(_cited(c.kept for c in reasons)),
        dropped=tuple(d for c in every for d in c.dropped),
    )


def _checked(text: str, known: Known, causes: Collection[Cause], *, asks: bool = False) -> CheckedProse:
    """Sentences whose numbers and names the evidence has, and that blame no other cause.

    What only asks need not refer to anything; what states must, or it rests on nothing.
    """
    checked = check_prose(text, known)
    kept, dropped = [], list(checked.dropped)
    for sentence in checked.kept:
        words = "".join(piece for piece in sentence if isinstance(piece, str))
        other = next(_other_causes(words, causes), None)
        if not asks and not any(isinstance(piece, Ref) for piece in sentence):
            dropped.append(Dropped(words, "it has no reference to evidence"))
        elif other:
            dropped.append(Dropped(words, f"it speaks of {other}, which the finding does not name"))
        else:
            kept.append(sentence)
    return CheckedProse(tuple(kept), tuple(dropped), tuple(dict.fromkeys(_cited([kept]))))


def _asked(sentence: Text) -> Text:
    """A sentence of a question, checked as a statement, with its mark again."""
    *pieces, last = sentence
    return (*pieces, last.removesuffix(".") + "?" if isinstance(last, str) else last)


def _cited(texts: Iterable[Sequence[Text]]) -> Iterator[str]:
    """Evidence that sentences refer to."""
    for sentences in texts:
        for sentence in sentences:
            yield from (piece.evidence_id for piece in sentence if isinstance(piece, Ref))


def _other_causes(words: str, causes: Collection[Cause]) -> Iterator[Cause]:
    plain = re.sub(r"[\W_]+", " ", words.lower())
    for cause in CAUSES:
        if cause not in causes and cause != "unknown":
            names = (cause.replace("_", " "), *SPOKEN.get(cause, ()))
            if any(re.search(rf"\b{name}s?\b", plain) for name in names):
                yield cause


def statement_lines(statement: Statement) -> Iterator[Text]:
    """The section of the report: the words of the model, apart from what code wrote."""
    if statement.summary:
        yield _joined(statement.summary)
    if statement.reasons:
        yield ("",)
    for reason in statement.reasons:
        yield ("- ", *_joined(reason))
    for title, items in (
        ("Ruled out", [(f"{cause.replace('_', ' ')}: ", text) for cause, text in statement.ruled_out]),
        ("To ask the owner", [("", text) for text in statement.questions]),
    ):
        if items:
            yield ("",)
            yield (f"{title}:",)
            yield ("",)
        for head, text in items:
            yield ("- ", head, *_joined(text))


def _joined(sentences: Sequence[Text]) -> Text:
    """Sentences one after the other, a space between."""
    joined: list[Piece] = []
    for sentence in sentences:
        joined += [" ", *sentence] if joined else [*sentence]
    return tuple(joined)
