"""Pages: what they show, what they say where there is nothing, and that no name from data is markup."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ledger.window import instant_text
from tests.incident_documents import NOW, START, culprit, incident_document, proposal_document, save_incidents
from tests.web_site import INCIDENT, approver, browser, casebook_in, parts_over, press, with_incident
from tokensleuth.approvals.rules import ApprovalRules
from tokensleuth.casebook import Casebook, EvidenceDocument, InvestigationRecord, JsonObject
from tokensleuth.people import People
from tokensleuth.settings_acts import Actions
from tokensleuth.web.reading import PAGE

PAGES = ("/", "/incidents", f"/incidents/{INCIDENT}", "/evidence/ev_1", "/audit", "/proposals/prop_x/confirm")
OUR_TAGS = frozenset(
    """html head meta title link body a header div svg rect path circle figcaption nav form input span button
    p strong main h1 h2 h3 dl dt dd bdi label section article blockquote ol li time q figure picture source
    img table thead tbody tr th td select option code""".split()  # noqa: SIM905
)
OUR_ATTRIBUTES = frozenset(
    """lang charset name content rel href type class width height viewbox d cx cy r aria-hidden x y rx
    aria-label aria-current method action value id role aria-labelledby for maxlength placeholder autocomplete
    scope preserveaspectratio tabindex alt src media srcset selected""".split()  # noqa: SIM905
)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "\u202eevil\u202c\u200b\u2066\U000e0041",
    "</title></style></textarea><h1>",
    "&lt;b&gt;&#60;i&#62;",
)


@pytest.fixture
def casebook(tmp_path: Path) -> Iterator[Casebook]:
    with casebook_in(tmp_path) as opened:
        yield opened


def hours(count: int = 24) -> JsonObject:
    lines = {name: [1.0] * (count - 1) + [None] for name in ("actual", "expected", "low", "high")}
    end_at = START + timedelta(hours=count)
    window = {"start_at": instant_text(START), "end_at": instant_text(end_at)}
    return {**window, **lines, "flagged": [False] * count}


def hostile_incident(text: str) -> InvestigationRecord:
    """The text in every field that data can reach."""
    scope = {"team": text, "key_id": text}
    proposal = proposal_document(
        proposal_id="prop_x",
        parameters={"owner": text, "message": text},
        target={"gateway": text, **scope},
        undo=text,
        rationale=text,
    )
    asked = {"where": scope, "by": [text]}
    listed = {"id": "ev_1", "tool": "breakdown", "arguments": asked, "status": "ok", "rows": 1}
    changed = {"kind": "key", "at": instant_text(START), "what": text, "source": text}
    document = incident_document(
        INCIDENT,
        scope=scope,
        report=f"# {text}\n\n**{text}** `{text}` (ev_1)\n\n## {text}\n\n- {text}\n",
        culprits=[culprit(scope)],
        changes=[changed],
        evidence=[listed],
        proposals=[proposal],
        degraded=True,
        degraded_because=[text],
        model=text,
        analyst=text,
    )
    arguments = {"where": scope, text: text}
    evidence = EvidenceDocument("ev_1", "breakdown", arguments, "ok", [{text: text}], {text: text})
    return InvestigationRecord(document, [evidence], NOW, requested_by=text[:100], timeline=hours())


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_in_every_field_are_only_text(casebook: Casebook, text: str) -> None:
    casebook.save(hostile_incident(text))
    client = browser(parts_over(casebook), "alice")
    press(client, "/proposals/prop_x/reject", reason=text)
    for path in PAGES:
        answer = client.get(path)
        assert answer.status_code == 200
        assert all(c.isprintable() or c == "\n" for c in answer.text)
        assert foreign_parts(answer.text) == []


class Tags(HTMLParser):
    """Takes down what a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.foreign += [] if tag in OUR_TAGS else [tag]
        for name, value in attrs:
            leads = name in ("href", "src", "srcset", "action")
            if name not in OUR_ATTRIBUTES or (leads and not re.match(r"/(?!/)|#main$", value or "")):
                self.foreign.append(f"{tag} {name}={value}")


def foreign_parts(html: str) -> list[str]:
    """Tags, attributes and addresses that no template of ours has."""
    parser = Tags()
    parser.feed(html)
    return parser.foreign


def test_the_pages_have_no_script_no_style_attribute_and_nothing_from_elsewhere(casebook: Casebook) -> None:
    casebook.save(hostile_incident("search"))
    client = browser(parts_over(casebook), "alice")
    for path in PAGES:
        html = client.get(path).text
        assert not re.search(r"<script|<style|\sstyle=|https?://|\son[a-z]+=", html)


def test_the_inbox_says_how_to_name_the_first_approver(casebook: Casebook) -> None:
    parts = parts_over(casebook, rules=ApprovalRules(People()))
    html = browser(parts, "guest").get("/").text
    assert "Nobody may approve yet" in html
    assert "[[approver]]" in html
    assert "web_token_sha256" in html


def test_the_inbox_names_the_classes_that_nobody_may_decide_on(casebook: Casebook) -> None:
    parts = parts_over(casebook, approver("alice", "limit", "tell"))
    html = browser(parts, "alice").get("/").text
    assert "Nobody may decide on block, revoke actions" in html


def test_an_empty_casebook_says_what_to_do_next(casebook: Casebook) -> None:
    client = browser(parts_over(casebook), "alice")
    assert "tokensleuth investigate last-7d" in client.get("/").text
    assert "No incidents" in client.get("/incidents").text
    assert "No entries" in client.get("/audit").text


def test_when_all_is_decided_the_inbox_is_calm(casebook: Casebook) -> None:
    with_incident(casebook, proposals=[])
    assert "Nothing waits for a decision" in browser(parts_over(casebook), "alice").get("/").text


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_dry_run_is_said_on_every_page(casebook: Casebook, dry_run: bool) -> None:
    client = browser(parts_over(casebook, actions=Actions(dry_run=dry_run)), "alice")
    assert ("Dry run." in client.get("/incidents").text) is dry_run


def test_an_incident_has_its_chart_in_two_widths(casebook: Casebook) -> None:
    casebook.save(hostile_incident("search"))
    client = browser(parts_over(casebook), "alice")
    for query in ("", "?narrow=true"):
        answer = client.get(f"/incidents/{INCIDENT}/chart.png{query}")
        assert (answer.status_code, answer.content[:4]) == (200, b"\x89PNG")


def test_without_hours_the_page_says_so_and_the_chart_is_404(casebook: Casebook) -> None:
    with_incident(casebook)
    client = browser(parts_over(casebook), "alice")
    assert "No hours of this incident were kept" in client.get(f"/incidents/{INCIDENT}").text
    assert client.get(f"/incidents/{INCIDENT}/chart.png").status_code == 404


def test_numbers_lead_to_the_evidence_they_are_in(casebook: Casebook) -> None:
    listed = {"id": "ev_e1e1e1", "tool": "effects", "arguments": {}, "status": "ok", "rows": 13}
    with_incident(casebook, evidence=[listed], report="**It rose** by 83.70 (ev_e1e1e1).")
    html = browser(parts_over(casebook), "alice").get(f"/incidents/{INCIDENT}").text
    assert 'href="/evidence/ev_e1e1e1#fact-delta_usd"' in html
    assert 'href="/evidence/ev_e1e1e1#fact-volume_usd"' in html
    assert '<a class="ev" href="/evidence/ev_e1e1e1">effects</a>' in html


@pytest.mark.parametrize("path", ["/incidents/inc_none", "/evidence/ev_none", "/proposals/prop_none", "/x"])
def test_what_there_is_none_of_is_a_page_that_says_so(casebook: Casebook, path: str) -> None:
    answer = browser(parts_over(casebook), "alice").get(path)
    assert answer.status_code == 404
    assert "To the inbox" in answer.text


def test_the_link_of_a_message_leads_to_the_place_on_the_incident(casebook: Casebook) -> None:
    with_incident(casebook)
    answer = browser(parts_over(casebook), "alice").get("/proposals/prop_limit")
    assert answer.headers["location"] == f"/incidents/{INCIDENT}#prop_limit"


def test_long_lists_come_in_pages_that_leave_nothing_out(casebook: Casebook) -> None:
    ids = [f"inc_{n:03}" for n in range(PAGE + 3)]
    each_proposes = [(each, proposal_document(proposal_id=f"p{each}")) for each in ids]
    save_incidents(casebook, *(incident_document(each, proposals=[p]) for each, p in each_proposes))
    client = browser(parts_over(casebook), "alice")
    for path, pattern in (("/incidents", r'href="/incidents/(inc_\d+)"'), ("/audit", r"subject=(pinc_\d+)")):
        seen: list[str] = []
        nxt: str | None = path
        while nxt:
            html = client.get(nxt).text
            seen += re.findall(pattern, html)
            more = re.search(r'class="button" href="([^"]+)"', html)
            nxt = more[1] if more else None
        assert sorted(seen) == sorted(each if path == "/incidents" else f"p{each}" for each in ids)


def test_a_ledger_that_is_not_to_be_had_is_said_in_words(casebook: Casebook) -> None:
    answer = browser(parts_over(casebook), "alice").get("/spend")
    assert answer.status_code == 503
    assert "The ledger is in use by another process." in answer.text
