"""Numbers shown in a report that the stored evidence does not have. Pure, and no code of the product.

A number counts as backed when some number of the incident's evidence in the casebook, rounded to the digits
shown, is the same: dollars by a field in dollars, percentages by 100 times a ratio, all else by any field.
Beside the evidence itself these are taken for backed, each worked out here anew: parts of the change (rows in
dollars of `slices` over `delta_usd` of `effects`, single or those of the culprits together), parts of the
gross change (one or two effects over the sizes of all), how far a ratio is from 1, the price of the former
model as a part of the new one, confidences, parameters of proposals (a choice, no claim) and counts of what
the document lists. Not looked at: headings, dates, ids, numbers of lists, names from the data, sentences of
the playbooks, and `under 1%`.

The check is exact in one direction. A number it names has no source; one it passes has a source, which need
not be the one the sentence is about: dollars and counts rarely agree by chance, small whole percentages may.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations

from evals.reported import ReportedIncident
from playbooks import load_playbooks

Document = Mapping[str, object]
"""One piece of evidence as the casebook has it."""

_NUMBER = re.compile(
    r"(?<![\w.\-])[-+]?(?P<usd>\$?)(?P<digits>\d[\d,]*(?:\.(?P<decimals>\d+))?)(?P<unit>%|x\b)?"
)
_HEADING = re.compile(r"^#.*$", re.MULTILINE)
_LIST_NUMBER = re.compile(r"^\s*\d+\. ", re.MULTILINE)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
"""Markdown may escape any punctuation mark of ASCII (CommonMark 2.4)."""
_ID = re.compile(r"\b(?:ev|prop|inc|inv|dec)_\w+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2})?Z?)?")
_OF_THE_POLICY = re.compile(r"\b7 days before\b")
"""The span every limit and budget is measured on; a constant of the product, told in its own words."""
_UNDER = re.compile(r"\bunder 1%")
_HALF = 0.5000001
_NUMERIC = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")


@dataclass(slots=True)
class _Known:
    """Sizes of the numbers that may be shown, by unit; signs are told in words as often as not."""

    usd: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)

    def backs(self, shown: re.Match[str]) -> bool:
        value = float(shown["digits"].replace(",", ""))
        margin = _HALF * 10.0 ** -len(shown["decimals"] or "")
        factor = 100.0 if shown["unit"] == "%" else 1.0
        candidates: Iterable[float] = self.usd if shown["usd"] else self.others
        if not shown["usd"] and not shown["unit"]:
            candidates = chain(self.usd, self.others)
        return any(abs(factor * known - value) <= margin for known in candidates)


def unsupported_numbers(incident: ReportedIncident, evidence: Sequence[Document]) -> tuple[str, ...]:
    """Each with the words around it."""
    known = _known_numbers(incident, evidence)
    prose = _prose(incident, evidence)
    return tuple(
        prose[max(0, shown.start() - 40) : shown.end() + 20].replace("\n", " ")
        for shown in _NUMBER.finditer(prose)
        if not known.backs(shown)
    )


def _prose(incident: ReportedIncident, evidence: Sequence[Document]) -> str:
    """The report without what is no claim."""
    text = _ESCAPE.sub(r"\1", _LIST_NUMBER.sub("", _HEADING.sub("", incident.report)))
    for given in sorted(_fixed_texts(incident, evidence), key=len, reverse=True):
        text = text.replace(given, " ").replace(f"{given[:1].upper()}{given[1:]}", " ")
    for pattern in (_ID, _DATE, _OF_THE_POLICY, _UNDER):
        text = pattern.sub(" ", text)
    return text


def _fixed_texts(incident: ReportedIncident, evidence: Sequence[Document]) -> set[str]:
    """Names from the data, and sentences of the playbooks, as far as they have a digit in them."""
    names = {value for document in evidence for _, value in _leaves(document) if isinstance(value, str)}
    names |= {value for scope in _scopes(incident) for value in scope.values()}
    books = load_playbooks()
    rules = [rule for book in books for rule in book.rules]
    texts = names | {rule.why for rule in rules} | {book.summary for book in books}
    return {
        text for text in texts if re.search(r"\d", text) and not _NUMERIC.fullmatch(text) and len(text) > 2
    }


def _scopes(incident: ReportedIncident) -> Iterator[Mapping[str, str]]:
    yield incident.scope
    yield from (culprit.scope for culprit in incident.culprits)
    yield from (proposal.scope for proposal in incident.proposals)


def _known_numbers(incident: ReportedIncident, evidence: Sequence[Document]) -> _Known:
    known = _Known()
    for document in evidence:
        for name, value in _leaves({"rows": document["rows"], "facts": document["facts"]}):
            number = _number(value)
            if number is not None:
                (known.usd if _is_money(name) else known.others).append(abs(number))
            if number is not None and "ratio" in name:
                known.others.append(abs(number - 1))
    known.others += [abs(share) for share in _parts_of_change(incident, evidence)]
    known.others += [part for document in evidence for part in _parts_of_gross(document)]
    known.others += _former_prices(evidence)
    known.others += [*_confidences(incident), *_counts(incident)]
    known.others += [incident.cost.llm_calls, incident.cost.input_tokens, incident.cost.output_tokens]
    known.usd.append(float(incident.cost.usd))
    parameters = [
        abs(number)
        for proposal in incident.proposals
        for value in proposal.parameters.values()
        if (number := _number(value)) is not None
    ]
    known.usd += parameters
    known.others += parameters
    return known


def _parts_of_change(incident: ReportedIncident, evidence: Sequence[Document]) -> Iterator[float]:
    """Rows of `slices` over the change that `effects` told; the culprits' rows also all together."""
    split = next((d for d in evidence if d["tool"] == "effects"), None)
    change = _number(_facts(split).get("delta_usd")) if split else None
    if not change:
        return
    rows = [row for d in evidence if d["tool"] == "slices" for row in _rows(d)]
    for row in rows:
        yield (_number(row.get("usd")) or 0.0) / change
    culprits = [culprit.scope for culprit in incident.culprits]
    told = [row for row in rows if row.get("scope") in culprits]
    yield sum(_number(row.get("usd")) or 0.0 for row in told) / change


def _parts_of_gross(document: Document) -> Iterator[float]:
    """One or two effects over the sizes of all; the trend is no mechanism."""
    if document["tool"] != "effects":
        return
    totals = ("delta_usd", "expected_usd", "actual_usd", "mean_usd", "trend_usd")
    effects = {name: value for name, value in _facts(document).items() if name.endswith("_usd")}
    sizes = [abs(_number(value) or 0.0) for name, value in effects.items() if name not in totals]
    gross = sum(sizes)
    if gross:
        yield from (size / gross for size in sizes)
        yield from ((one + other) / gross for one, other in combinations(sizes, 2))


def _former_prices(evidence: Sequence[Document]) -> Iterator[float]:
    """What the same work cost on the model it came from, as a part of what it costs now."""
    for document in evidence:
        facts = _facts(document)
        times = (_number(facts.get("price_ratio")) or 1.0) * (
            _number(facts.get("switched_length_ratio")) or 1.0
        )
        if document["tool"] == "mix":
            yield 1 / times


def _confidences(incident: ReportedIncident) -> Iterator[float]:
    yield incident.confidence
    yield from (culprit.confidence for culprit in incident.culprits)
    yield from (other.confidence for other in incident.alternatives)


def _counts(incident: ReportedIncident) -> Iterator[float]:
    """Culprits, all and beside the first; effects that are zero; sentences left out and measures refused.

    And up to 4 weeks that are compared with.
    """
    yield from (len(incident.culprits), len(incident.culprits) - 1)
    yield sum(effect.usd == 0 for effect in incident.effects)
    yield from (incident.unsupported_claims, len(incident.refused_actions))
    yield from range(1, 5)


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Every plain value in a document with the name of its field."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, str(key))
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _leaves(inner, name)
    else:
        yield name, value


def _number(value: object) -> float | None:
    """Money is stored as text."""
    if isinstance(value, bool) or value is None:
        return None
    text = str(value)
    return float(text) if _NUMERIC.fullmatch(text) else None


def _is_money(name: str) -> bool:
    return "usd" in name and "ratio" not in name and "share" not in name


def _facts(document: Document) -> Mapping[str, object]:
    facts = document["facts"]
    return facts if isinstance(facts, Mapping) else {}


def _rows(document: Document) -> Iterator[Mapping[str, object]]:
    rows = document["rows"]
    yield from (row for row in (rows if isinstance(rows, list) else []) if isinstance(row, Mapping))
