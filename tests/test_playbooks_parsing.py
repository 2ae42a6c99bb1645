"""A wrong playbook is refused with file, line, field and value, and with what would be right."""

import re
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.signals import FACTS
from ledger.errors import RefusedError
from playbooks import Playbook, parse_playbook
from tests.playbook_texts import GOOD

FILE = "retry_storm.md"
FRONT_LINES = GOOD.split("+++\n")[1].splitlines()
FIELDS = [i for i, line in enumerate(FRONT_LINES) if "=" in line]
EXAMPLES = settings(max_examples=150, deadline=None)


def parsed(text: str) -> Playbook:
    return parse_playbook(text, FILE, facts=FACTS)


def refusal(text: str) -> str:
    with pytest.raises(RefusedError) as caught:
        parsed(text)
    return str(caught.value)


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def test_a_good_playbook_is_read() -> None:
    playbook = parsed(GOOD)
    assert (playbook.name, playbook.origin, playbook.body) == ("retry_storm", "shipped", "# For people")
    assert playbook.tell == ("owner",)
    assert playbook.verify_when is not None
    assert playbook.verify_when.hours == 3
    assert playbook.confirms[0].holds(0.1)
    assert not playbook.confirms[0].holds(0.05)


def test_what_a_value_says_reads_well_both_ways() -> None:
    [rule] = parsed(GOOD).confirms
    assert (rule.told(0.5), rule.told(0)) == ("more retries", "no sign that more retries")
    [rule] = parsed(changed('source = "measured"', 'why_not = "retries are usual"')).confirms
    assert rule.told(0) == "retries are usual"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('op = "at_least"', 'op = "about"', "12: confirms.0.op = 'about': input should be 'at_least' or"),
        ("weight = 3", "weight = 30", "14: confirms.0.weight = 30: input should be less than or equal to 5"),
        ("weight = 3", "weight = true", "14: confirms.0.weight = True: input should be a valid number"),
        ("value = 0.1", "value = nan", "13: confirms.0.value = nan: input should be a finite number"),
        ("value = 0.1", 'value = "0.1"', "13: confirms.0.value = '0.1': input should be a valid number"),
        ("value = 0\n", "", "18: refutes.0.value: is missing"),
        ('"rise"', '"raise"', "19: refutes.0.fact = 'raise': no evidence gives it; did you mean rise?"),
        ('"rise"', '"x"', "19: refutes.0.fact = 'x': no evidence gives it; known are accounting_share, age_"),
        ('why = "it fell"', 'why = " "', "23: refutes.0.why = ' ': must say something"),
        ('why = "it fell"', 'why = "it\\nfell"', "23: refutes.0.why = 'it\\nfell': must be one line"),
        ('why = "it fell"', 'why = "a"\nwhy_not = "b"', "18: refutes = a table or list of 1: why_not is for"),
        (
            'cause = "retry_storm"',
            'cause = "retries"',
            "2: cause = 'retries': input should be 'volume_growth'",
        ),
        ('"confirmed"', '"benign"', "3: verdict = 'benign': the verdict of retry_storm must be confirmed"),
        ("[[refutes]]", "[[benign_when]]", "18: benign_when = a table or list of 1: retry_storm is never"),
        ('["notify_owner"]', '["revoke_key"]', "6: actions = a table or list of 1: revoke_key cannot be"),
        ('["notify_owner"]', '["set_budget", "set_budget"]', "6: actions = a table or list of 2: names set"),
        ('["notify_owner"]', '["fire"]', "6: actions.0 = 'fire': input should be 'set_rate_limit'"),
        ('["notify_owner"]', '[]\ntell = ["boss"]', "7: tell.0 = 'boss': input should be 'owner', 'finops'"),
        ("{scope} cost", "{key} cost", "7: owner_text = '{key} cost {delta_usd} more, {window}': may use"),
        ("{delta_usd}", "{delta_usd:d}", "7: owner_text = '{scope} cost {delta_usd:d} more, {window}': may"),
        ("{scope} cost", "{ cost", "7: owner_text = '{ cost {delta_usd} more, {window}': "),
        ("weight = 3", "weight = ", "14: Invalid value"),
        ('verify = "The', 'verfy = "The', "2: verify: is missing\nretry_storm.md:8: verfy: is no field"),
        ('"cost_ratio"', '"evenness"', "26: verify_when.fact = 'evenness': input should be 'cache_read_"),
        ("hours = 3", "hours = 0", "29: verify_when.hours = 0: input should be greater than or equal to 1"),
        ("[verify_when]", "[[verify_when]]", "25: verify_when = a table or list of 1: input should be a"),
        ('title = "Sent again"', 'title = "a"\nname = "b"', "5: name: is no field of a playbook"),
        ("+++\ncause", "cause", "1: a playbook starts with TOML between two lines"),
    ],
)
def test_a_wrong_playbook_is_refused_by_line_field_and_value(old: str, new: str, message: str) -> None:
    assert refusal(changed(old, new)).startswith(f"{FILE}:{message}")


def test_a_rule_in_one_line_is_told_by_its_line() -> None:
    rules = 'confirms = [{fact = "rise", op = "at_least", value = 1, weight = 9, why = "x"}]'
    text = changed('title = "Sent again"', f'title = "a"\n{rules}')
    start, end = text.index("[[confirms]]"), text.index("[[refutes]]")
    assert refusal(text[:start] + text[end:]).startswith(f"{FILE}:5: confirms.0.weight = 9")


def test_everything_wrong_is_told_at_once() -> None:
    text = changed("weight = 3", "weight = 30").replace("hours = 3", "hours = 0")
    assert [line.split(":")[1] for line in refusal(text).splitlines()] == ["14", "29"]


@pytest.mark.parametrize("name", ["Month-End.md", "1st.md", "a b.md", ".md"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(RefusedError, match=":1: the file's name is the playbook's"):
        parse_playbook(GOOD, name)


def assert_read_or_refused(text: str) -> None:
    """No other error, and in a refusal each line names a line of the file."""
    try:
        parsed(text)
    except RefusedError as error:
        for line in str(error).split("\n"):
            found = re.match(rf"{FILE}:(\d+): .", line)
            assert found, line
            assert 1 <= int(found[1]) <= text.count("\n") + 2


VALUES = st.sampled_from([
    "", "nan", "-inf", "1e999", "9" * 5000, "0x" + "f" * 5000, "-1", "true", "2026-11-01", "[]", "[[]]", "{}",
    '{fact = "rise"}', "[1, 2]", '"{"', '"{scope!r}"', '"\\u0000"', '"""\n+++\n"""', "[" * 3000, "'x'",
    '"\ud7ff"',
])  # fmt: skip


@EXAMPLES
@given(line=st.sampled_from(FIELDS), value=VALUES)
def test_any_value_in_any_field_is_read_or_refused_by_its_line(line: int, value: str) -> None:
    lines = list(FRONT_LINES)
    lines[line] = f"{lines[line].split(' =')[0]} = {value}"
    assert_read_or_refused("+++\n" + "\n".join(lines) + "\n+++\n# For people\n")


@EXAMPLES
@given(text=st.text())
def test_any_front_matter_is_read_or_refused_by_its_line(text: str) -> None:
    assert_read_or_refused(f"+++\n{text}\n+++\n")
    assert_read_or_refused(text)


@EXAMPLES
@given(start=st.integers(0, len(GOOD)), length=st.integers(0, 80), put=st.text(max_size=5))
def test_any_cut_or_slip_of_the_hand_is_read_or_refused_by_its_line(
    start: int, length: int, put: str
) -> None:
    assert_read_or_refused(GOOD[:start] + put + GOOD[start + length :])


@EXAMPLES
@given(
    keys=st.lists(st.sampled_from(["cause", "confirms", "refutes", "verify_when", "tell", "x"]), min_size=1)
)
def test_tables_in_any_order_are_read_or_refused_by_their_line(keys: list[str]) -> None:
    front = "\n".join(f"[[{key}]]\nfact = 1" for key in keys)
    assert tomllib.loads(front)
    assert_read_or_refused(f"+++\n{front}\n+++\n")
