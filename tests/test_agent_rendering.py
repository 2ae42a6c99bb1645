"""Numbers of a text come from the evidence or not at all."""

from decimal import Decimal

from agent.evidence import Evidence
from agent.rendering import Format, Measured, Ref, Share, looked_up, render
from tests.ledger_builder import span

EVIDENCE = Evidence(
    id="ev_1",
    tool="compare",
    arguments={},
    status="ok",
    window=span(0),
    rows=({"usd": Decimal("-3.5"), "scope": {"team": "a"}},),
    facts={
        "cost": Decimal("1234.567"),
        "share": 0.256,
        "ratio": 2.0,
        "requests": 12345,
        "name": "k1",
        "nothing": Decimal(0),
        "mill": Decimal("-0.001"),
        "evil": "a|b",
        "whole": Decimal(4938),
    },
)
KNOWN = {"ev_1": EVIDENCE}


def _shown(field: str, how: Format) -> str | None:
    return looked_up(Ref("ev_1", field, how), KNOWN)


def test_numbers_are_formatted_for_people() -> None:
    assert _shown("cost", "usd") == "$1,234.57"
    assert _shown("cost", "signed_usd") == "+$1,234.57"
    assert _shown("rows.0.usd", "signed_usd") == "-$3.50"
    assert _shown("rows.0.usd", "size_usd") == "$3.50"
    assert _shown("share", "percent") == "25.6%"
    assert _shown("ratio", "times") == "2.00x"
    assert _shown("requests", "count") == "12,345"
    assert _shown("name", "text") == "k1"
    assert _shown("ratio", "number") == "2"
    assert _shown("ratio", "percent") == "200%"


def test_what_is_no_cent_has_no_sign() -> None:
    assert _shown("nothing", "signed_usd") == "$0.00"
    assert _shown("mill", "signed_usd") == "$0.00"
    assert _shown("mill", "usd") == "$0.00"


def test_text_of_the_evidence_is_escaped() -> None:
    assert _shown("evil", "text") == "a\\|b"


def test_a_share_is_worked_out_from_two_numbers_of_the_evidence() -> None:
    cost, whole, name, nothing = (Ref("ev_1", f, "usd") for f in ("cost", "whole", "name", "nothing"))
    shares = [(Share((cost,), whole), " ", Share((cost, cost), whole)), (Share((cost,), nothing),)]
    rendered = render([*shares, (Share((cost, name), whole),)], KNOWN)
    assert (rendered.markdown, rendered.unsupported) == ("25% 50%\n?\n?\n", 2)


def test_a_value_worked_out_from_no_known_evidence_is_counted() -> None:
    rendered = render([(Measured("ev_1", 0.5, "percent"), Measured("ev_2", 0.5, "percent"))], KNOWN)
    assert (rendered.markdown, rendered.unsupported) == ("50%?\n", 1)


def test_a_number_no_evidence_backs_is_counted() -> None:
    text = [("cost ", Ref("ev_1", "cost", "usd"), " or ", Ref("ev_2", "cost", "usd"))]
    rendered = render([*text, (Ref("ev_1", "rows.7.usd", "usd"), Ref("ev_1", "name", "usd"))], KNOWN)
    assert rendered.unsupported == 3
    assert rendered.markdown.startswith("cost $1,234.57 or ?")
