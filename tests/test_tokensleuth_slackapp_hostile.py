"""Whatever data says, a message keeps Slack's limits and obeys none of it."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from itertools import cycle
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from tests.slack_cases import (
    REHEARSAL,
    executed,
    incident_view,
    many,
    said,
    with_feedback,
)
from tokensleuth.casebook.views import IncidentView, ProposalView
from tokensleuth.slackapp import answers
from tokensleuth.slackapp.alert import alert
from tokensleuth.slackapp.limits import Rendered, check
from tokensleuth.slackapp.storm import storm
from tokensleuth.slackapp.thread import details, thread_letter

ATTACKS = (
    "<!channel> <!here> <@U0ALICE> <#C1|x>",
    "<https://evil.example|Approve> http://evil.example www.evil.example",
    "@here @channel @everyone",
    "```` ``` `a` *b* _c_ ~d~",
    "a*b `",
    "&lt;!channel&gt; &amp;",
    "\u202etxet \u2066x\u2069 \u200b\u2060\U000e0041\ufe0f",
    "a\u2028b\u2029c\nd\r\te\x00\x1b[31m",
    "\ud800 \udfff",
    ":tada: :boom:",
    "&" * 10_000,
    "\U0001f4b8" * 10_000,
    "> quote\n- list\n## What can be done\n**bold.** x",
    "",
)
FREE = frozenset(
    [
        "team",
        "key_id",
        "model",
        "region",
        "client",
        "report",
        "what",
        "owner",
        "message",
        "rationale",
        "undo",
        "from_model",
        "to_model",
        "gateway",
        "reason",
        "requested_by",
        "cause",
        "verdict",
        "period",
    ]
)
"""Fields in which anything may stand; ids, instants and amounts are made by us."""

texts = st.one_of(st.sampled_from(ATTACKS), st.text(st.characters(codec=None), max_size=80))
Write = Callable[[], str]


def hostile(value: object, write: Write, name: str = "") -> object:
    """The document with other words in its free fields."""
    if isinstance(value, dict):
        return {k: hostile(v, write, k) for k, v in value.items()}
    if isinstance(value, list):
        return [hostile(v, write, name) for v in value]
    return write() if isinstance(value, str) and name in FREE else value


def hostile_view(view: IncidentView, write: Write) -> IncidentView:
    incident = cast(dict[str, object], hostile(view.incident, write))
    words = "\n".join(f"- {write()}\n  - {write()}" for _ in range(3))
    sections = ("Who carries it, and why", "Seen before", "In the words of the model")
    report = f"**x.** {write()}\n\n" + "\n\n".join(f"## {s}\n\n{words}" for s in sections)
    more = {"report": report, "analyst": "llm", "degraded": True, "degraded_because": [write()]}
    proposals = [
        replace(p, document=cast(dict[str, object], hostile(p.document, write))) for p in view.proposals
    ]
    return replace(view, incident=incident | more, proposals=proposals)


def decided(proposal: ProposalView, state: str, write: Write) -> ProposalView:
    """In a state that somebody's words led to."""
    words = (replace(said("x", "approve", write()), decided_by=write()),)
    execution = executed(proposal, reason=write())
    odd = {write(): write(), "limit": None}
    execution = replace(
        execution, before=odd, observed={write(): 1}, place={"kind": write()}, gateway=write()
    )
    document = proposal.document | {"state": state}
    return replace(proposal, document=document, words=words, execution=execution)


def shown(value: object, name: str = "") -> Iterator[str]:
    """Every text that people see."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from shown(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from shown(inner, name)
    elif isinstance(value, str) and name in ("text", "alt_text"):
        yield value


def marked(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        if value.get("type") == "mrkdwn":
            yield str(value["text"])
        for inner in value.values():
            yield from marked(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from marked(inner)


def harmless(message: Rendered) -> None:
    """Without a link or a mention in the look, no control sequence at all is in the message."""
    check(message.blocks, message.text)
    for block in message.blocks:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.to_dict()
    for text in (message.text, *shown(message.blocks)):
        assert not re.search(r"[<>]|://|www\.|@(here|channel|everyone)", text, re.IGNORECASE), text
        assert not re.search(r":[a-z_+-]+:", text), text
        strange = {c for c in text if unicodedata.category(c) in ("Cf", "Cc", "Cs", "Zl", "Zp")}
        assert strange <= {"\n"}, text
    for line in (line for text in marked(message.blocks) for line in text.split("\n")):
        assert line.count("`") % 2 == 0, line
        bold = re.sub("`[^`]*`", "", line).count("*")
        assert bold % 2 == 0, line


hard = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
writers = st.lists(texts, min_size=1, max_size=7).map(lambda found: partial(next, cycle(found)))


@hard
@given(writers, st.sampled_from(["key_leak", "retry_storm", "model_switch"]))
def test_an_alert_survives_any_text_in_any_field(write: Write, cause: str) -> None:
    view = hostile_view(incident_view(cause), write)
    harmless(alert(with_feedback(view), REHEARSAL))


@hard
@given(writers, st.sampled_from(["approved", "done", "failed", "unknown", "blocked", "rejected", "expired"]))
def test_a_decided_proposal_survives_any_text(write: Write, state: str) -> None:
    view = hostile_view(incident_view("key_leak"), write)
    view = replace(view, proposals=[decided(p, state, write) for p in view.proposals])
    harmless(alert(view, REHEARSAL))
    harmless(details(view.proposals[0], view, REHEARSAL))


@hard
@given(writers)
def test_letters_and_answers_survive_any_text(write: Write) -> None:
    view = hostile_view(incident_view("key_leak"), write)
    about = {"proposal_id": view.proposals[0].id, "execution_id": "exec_apply_1"}
    body = about | {name: write() for name in ("told", "reason", "text", "by", "verdict")}
    for kind in ("decided", "executed", "undone", "watched", "refused", "feedback", "found"):
        harmless(thread_letter(kind, body, view, REHEARSAL))
    for answer in (answers.not_counted, answers.counted_as, answers.looking, answers.wrong_range):
        harmless_answer(answer(write()))
    harmless(answers.found(write(), [view] * 20, REHEARSAL))
    harmless(answers.owner_notice(write(), write(), "inc_1", REHEARSAL))


def harmless_answer(message: Rendered) -> None:
    """Its example of a range has colons of ours."""
    harmless(Rendered(message.text, [b for b in message.blocks if "T00:00Z" not in str(b)] or message.blocks))


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_alert_survives_each_attack_everywhere(attack: str) -> None:
    harmless(alert(hostile_view(incident_view("key_leak"), lambda: attack), REHEARSAL))


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_storm_survives_each_attack_everywhere(attack: str) -> None:
    views = [hostile_view(view, lambda: attack) for view in many(30)]
    harmless(storm(views, 1000, Decimal("-12.00"), REHEARSAL))


def crowded(view: IncidentView) -> IncidentView:
    """300 proposals, 300 culprits, 100 effects."""
    one = view.proposals[0]
    proposals = [replace(one, document=one.document | {"id": f"prop_{i}"}) for i in range(300)]
    culprits = cast(Sequence[object], view.incident["culprits"])
    effects = [{"name": f"effect_{i}", "usd": "0.01"} for i in range(99)]
    big = {"name": "volume", "usd": "525.66"}
    crowd = {"culprits": [*culprits] * 300, "effects": [big, *effects]}
    return replace(view, incident=view.incident | crowd, proposals=proposals)


def test_a_crowd_fits_and_what_is_left_out_is_told() -> None:
    message = alert(crowded(incident_view("key_leak")), REHEARSAL)
    harmless(message)
    told = str(message.blocks)
    assert "Left out for length:* 292 proposals" in told
    assert "and 295 culprits more" in told
    assert "88 more effects" in told


@pytest.mark.parametrize("attack", ["&" * 10_000, "<!channel>" * 1000, "\U0001f4b8" * 5000])
def test_a_hostile_crowd_fits_too(attack: str) -> None:
    message = alert(crowded(hostile_view(incident_view("key_leak"), lambda: attack)), REHEARSAL)
    harmless(message)
    assert "Left out for length" in str(message.blocks)


def test_any_number_of_words_and_states_of_any_length_fit() -> None:
    one = incident_view("key_leak").proposals[0]
    done = executed(one)
    big = {f"field_{i}": "&" * 500 for i in range(100)}
    undo = replace(done, id="exec_undo", kind="undo", before=big, wanted=big, observed={})
    execution = replace(done, before={}, wanted=big, observed=big, reason="&" * 5000)
    words = [said(f"person{i}", reason="&" * 5000) for i in range(50)]
    state = one.document | {"state": "done", "parameters": big, "target": {"gateway": "litellm"} | big}
    proposal = replace(one, document=state, words=words, execution=execution, undo=undo)
    view = replace(incident_view("key_leak"), proposals=[proposal])
    harmless(alert(view, REHEARSAL))
    message = details(proposal, view, REHEARSAL)
    harmless(message)
    assert "Left out for length" in str(message.blocks)


def test_the_table_adds_up_to_the_cent_however_many_effects() -> None:
    message = alert(crowded(incident_view("key_leak")), REHEARSAL)
    table = next(b for b in message.blocks if b["type"] == "table")
    rows = [[str(c["text"]) for c in row] for row in cast(list[list[Mapping[str, object]]], table["rows"])]
    amounts = {step: Decimal(usd.replace("$", "").replace(",", "")) for step, usd in rows[1:]}
    actual = amounts.pop("actual")
    assert sum(amounts.values()) == actual


def test_only_links_to_the_inbox_and_mentions_of_the_route_are_in_a_message() -> None:
    look = replace(
        REHEARSAL, link_base="https://spend.example.com", mention=("U0ALICE", "S0TEAM", "x> <!here")
    )
    view = hostile_view(incident_view("key_leak"), lambda: "<!channel> <https://evil.example|x>")
    found = re.findall(r"<[^>]*>", "\n".join(shown(alert(view, look).blocks)))
    assert found == [
        "<@U0ALICE>",
        "<!subteam^S0TEAM>",
        f"<https://spend.example.com/incidents/{view.id}|Open in the inbox>",
    ]
