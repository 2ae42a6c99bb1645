"""What holds of any text: nothing unbacked is kept, and what is kept is kept again."""

import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.claims.fields import measure_of
from agent.claims.known import number_of
from agent.claims.prose import check_prose
from agent.claims.vocabulary import SAID
from agent.rendering import Ref, Text, render
from tests.test_agent_claims_known import BY_ID, EVIDENCE, KNOWN
from tests.test_agent_claims_prose import DROPPED, KEPT

NEUTRAL = [
    "spend", "usage", "traffic", "pattern", "shows", "with", "while", "also", "here", "again", "evenly",
    "because", "is", "it", "this", "that", "the", "and", "steady", "whole", "clear", "likely", "cause",
    "effect", "same", "picture",
]  # fmt: skip
UNSHOWN = {"new_scope", "from_value", "to_value"}
"""A flag, and names, which say whose the other numbers are."""
REFERENCES = [f"{{{e.id}.{name}}}" for e in EVIDENCE for name in e.facts if name not in UNSHOWN]
ROWS = [
    f"{{{e.id}.rows.{i}.{name}}}"
    for e in EVIDENCE
    for i, row in enumerate(e.rows)
    for name in row
    if number_of(row[name]) is not None
]
ACTIVE = re.compile(r"(?<!\\)(?:\\\\)*[`*_\[\]<>#|~&]")

OTHERWISE = {
    "delta": "change", "rise": "change", "mtok": "price", "origin": "region", "origins": "region",
    "entities": "new", "length": "long", "age": "old", "rising": "broad", "top": "largest", "mean": "usual",
    "cost": "spend", "carried": "carried", "usual": "usual", "retries": "retried",
}  # fmt: skip
"""How a sentence says a part of a field's name, where it does not say the part itself."""


def _said(reference: str) -> str:
    """The words a sentence needs so that it tells the number of a reference as what it is."""
    evidence_id, _, field = reference.strip("{}").partition(".")
    evidence = next(e for e in EVIDENCE if e.id == evidence_id)
    row = evidence.rows[int(field.split(".")[1])] if field.startswith("rows.") else {}
    parts = measure_of(field.rpartition(".")[2], row).words & SAID.keys()
    return " ".join(["the", *(OTHERWISE.get(part, part) for part in sorted(parts))])


words = st.lists(st.sampled_from(NEUTRAL), min_size=1, max_size=5).map(" ".join)
references = st.sampled_from(REFERENCES + ROWS)


@given(st.lists(st.tuples(words, references), min_size=1, max_size=4), words)
@settings(deadline=None)
def test_references_told_as_what_they_are_are_kept(parts: list[tuple[str, str]], end: str) -> None:
    text = "The " + " ".join(f"{some} {_said(ref)} {ref}" for some, ref in parts) + f" {end}."
    checked = check_prose(text, KNOWN)
    assert checked.dropped == ()
    assert render(checked.kept, BY_ID).unsupported == 0


PATTERNS = {
    "usd": re.compile(r"(.*_)?usd(_per_mtok)?"),
    "percent": re.compile(r".*share.*|now|before"),
    "times": re.compile(r"(.*_)?ratio"),
}


def _numbers(kinds: str) -> Iterator[Decimal]:
    """Values a unit may state, written here once more and without the code under test."""
    tables: list[Mapping[str, object]] = [e.facts for e in EVIDENCE]
    tables.extend(row for e in EVIDENCE for row in e.rows)
    for name, value in (item for table in tables for item in table.items()):
        number = number_of(value)
        if number is not None and PATTERNS[kinds].fullmatch(name):
            yield abs(number) * (100 if kinds == "percent" else 1)
        if number is not None and kinds == "percent" and name.endswith("ratio"):
            yield abs(number - 1) * 100


def _is_backed(literal: str, kinds: str) -> bool:
    number = Decimal(literal.replace(",", ""))
    step = Decimal(1).scaleb(int(number.as_tuple().exponent))
    rounded = {v.quantize(step, way) for v in _numbers(kinds) for way in (ROUND_HALF_UP, ROUND_HALF_EVEN)}
    return number in rounded


amounts = st.decimals(0, 1000, places=2) | st.decimals(0, 100, places=1) | st.decimals(0, 2000, places=0)
SENTENCES = {
    "usd": "Cost of key k1 and team search rose from what was expected by ${} with retries.",
    "percent": "The failed share of cached requests of key k1 rose by {}% from what was usual.",
    "times": "The cost of requests of key k1 rose {}x from the usual price.",
}


@pytest.mark.parametrize("kinds", list(SENTENCES))
@given(amount=amounts)
@settings(max_examples=300, deadline=None)
def test_a_number_that_is_no_rounding_is_dropped(kinds: str, amount: Decimal) -> None:
    literal = f"{amount:f}"
    if not _is_backed(literal, kinds):
        assert check_prose(SENTENCES[kinds].format(literal), KNOWN).kept == ()


PASSING = [
    ("usd", "Cost rose by ${}.", "83.70"),
    ("usd", "Team ads fell by ${}.", "3.70"),
    ("usd", "Spend was ${}.", "96.10"),
    ("usd", "Team search spent ${} on requests.", "88.20"),
    ("percent", "The failed share of key k1 is {}%.", "34.2"),
    ("percent", "The top team carries {}% of the change.", "95.7"),
    ("times", "Requests of key k1 rose {}x.", "4.01"),
    ("times", "Cost rose {} times.", "7.75"),
]


@given(st.sampled_from(PASSING), st.integers(0, 5), st.sampled_from("0123456789"))
@settings(max_examples=300, deadline=None)
def test_another_digit_drops_the_sentence(case: tuple[str, str, str], at: int, digit: str) -> None:
    kinds, sentence, literal = case
    assert check_prose(sentence.format(literal), KNOWN).kept
    place = [i for i, c in enumerate(literal) if c.isdigit()][at % (len(literal) - 1)]
    changed = literal[:place] + digit + literal[place + 1 :]
    if not _is_backed(changed, kinds):
        assert check_prose(sentence.format(changed), KNOWN).kept == ()


def _written_back(text: Text) -> str:
    """Kept text as a model would have written it."""
    written = "".join(
        f"{{{piece.evidence_id}.{piece.field}}}" if isinstance(piece, Ref) else str(piece) for piece in text
    )
    plain = re.sub(r"\\(.)", r"\1", written)
    return re.sub(r"(?<![{\w])(ev_\w+)", r"{\1}", plain)


fragments = st.one_of(
    st.sampled_from(KEPT.strip().split("\n")),
    st.sampled_from(DROPPED),
    st.sampled_from(
        [*NEUTRAL, *REFERENCES, "k1", "search", "$83.70", "34.2%", "rose", "fell", "by", "\n\n", "- "]
    ),
    st.text(max_size=6),
)
texts = st.lists(fragments, max_size=12).map(" ".join)


@given(texts)
@settings(max_examples=400)
def test_what_is_kept_renders_and_holds_no_markup(text: str) -> None:
    checked = check_prose(text, KNOWN)
    rendered = render(checked.kept, BY_ID)
    assert rendered.unsupported == 0
    assert "?" not in rendered.markdown
    assert not ACTIVE.search(re.sub(r"ev_[a-z0-9]+", "", rendered.markdown))
    assert set(checked.cited) <= set(BY_ID)


@given(texts)
@settings(max_examples=400)
def test_what_is_kept_is_kept_again(text: str) -> None:
    for kept in check_prose(text, KNOWN).kept:
        again = check_prose(_written_back(kept), KNOWN)
        assert again.kept == (kept,)
        assert again.dropped == ()


odd = st.lists(
    st.sampled_from([*REFERENCES[:3], "k1", "$", "9", "a", "A", " ", ".", "'", "(", ")", "-", "%", "\n"])
)


@given(st.text(max_size=300) | odd.map("".join))
@settings(max_examples=400)
def test_any_text_is_answered(text: str) -> None:
    checked = check_prose(text, KNOWN)
    assert render(checked.kept, BY_ID).unsupported == 0
