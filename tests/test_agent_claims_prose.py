"""Sentences that the evidence backs are kept; all others are dropped, however they are written."""

import time

import pytest

from agent.claims.prose import MOST_CHARACTERS, MOST_SENTENCES, check_prose
from agent.rendering import Ref, render
from tests.test_agent_claims_known import BY_ID, KNOWN, found, known

KEPT = """
Team search spent {E2.rows.0.actual_usd} instead of {E2.rows.0.mean_usd}.
Team search spent {ev_b2.rows.0.actual_usd}.
Spend rose by {E1.delta_usd}, from {E1.expected_usd} to {E1.actual_usd}.
Retries added {E1.retries_usd} and volume {E1.volume_usd}.
The share of failed requests of key k1 rose from {E3.failed_share_before} to {E3.failed_share}.
Key `k1` sent {E3.requests_ratio} as many requests as usual.
Key “k1” sent {E3.requests_ratio} as many requests as usual.
Key k1's failed share is {E3.failed_share}.
Cost rose by $83.70.
Cost rose by +$83.70.
Cost rose by USD 83.70.
Cost rose by 83.70 USD.
Cost rose by 83.7 dollars.
Cost rose by about $84.
Cost rose by ~$84.
Spend was $96.10, $83.70 more than expected.
Spend was expected to be $12.40.
Cost rose from $12.40 to $96.10.
Cost is up 675%.
Cost rose 7.75x.
Cost rose to 7.8 times what is usual.
Cost rose by at least $83.70.
The top team carries 95.7% of the change.
Failed requests of key k1 reached 34.2% of all requests.
Failed requests of key k1 reached 34 per cent of all requests.
The failed share of key k1 rose by 33 percentage points.
Requests of key k1 rose to 4.01x their usual number.
Requests of key k1 were roughly four times the usual.
Requests of key k1 quadrupled.
The cost of key k1 doubled.
Team search sent 12,345 requests.
Team search sent 12.3k requests.
Team search used 14.4 million tokens.
Team ads sent 1,180 requests.
Three new keys were seen.
3 new keys were seen.
No new clients were seen.
Key k1 used 612,345 tokens per hour.
Key k1 used {E3.tokens_per_hour} tokens per hour.
The price of key k1 is $0.98 per million tokens.
The price of key k1 is {E3.usd_per_mtok} per million tokens.
Key k1 moved by 39.5 of its ordinary spreads.
The price of gpt-4.1 changed at 14:00 UTC on 4 November.
The price of gpt-4.1 changed at 2 pm on Nov. 4, 2026.
The price of gpt-4.1 changed on Wednesday, 4 November 2026 at 14:00.
The price change is dated 2026-11-04T14:00:00Z.
The price changed at {E4.first_change_at}.
The window starts on 2026-11-04 and ends on Thursday.
The window has 24 hours.
A 24-hour window was used.
Compared with the same hours in the four earlier weeks, spend is {E1.delta_usd} higher.
Nothing suggests a leaked key.
Retries are the most likely cause.
This is a retry storm (`retry_storm`), not volume growth.
Team ads fell by {E2.rows.1.change_usd}.
Team ads fell by $3.70.
Work moved from gpt-4o to gpt-5-mini, {E5.moved_share} of requests.
OpenAI bills gpt-4.1 at {E4.rows.0.observed_ratio} times its price.
The cost of key k1 is ${E3.actual_usd} USD.
Its failed share is {E3.failed_share}%, against {E3.failed_share_before} before.
Key k1 moved by {E3.spreads} of its ordinary spreads ({E3}).
The evidence points to a retry storm: failed requests of key k1 make up {E3.failed_share} of its requests.
Volume and retries explain the increase, while the price did not move.
Check whether a deployment changed the back-off of the client.
The owner should confirm whether this is meant.
Ask the owner before blocking the key.
However, the cache effect went the other way: {E1.cache_usd}.
Spend of some keys, e.g. k1, rose.
This pattern is consistent with a client that retries aggressively without exponential back-off.
The number of requests on key k1 was {E3.requests_ratio} its usual level.
There is no evidence of a price change, a tokenizer change, or a new region.
The effects show that retries contributed {E1.retries_usd} and volume contributed {E1.volume_usd}.
The cache effect was negligible at {E1.cache_usd}.
The remaining teams did not change materially.
Team ads even spent less than usual ({E2.rows.1.change_usd}).
It is recommended to set a rate limit on key k1 and to notify the owner.
The spike started at {E4.first_change_at}, right after the price of gpt-4.1 changed.
Model gpt-4.1 is billed at {E4.rows.0.observed_ratio} its previous price since 4 November, 14:00 UTC.
Requests shifted from gpt-4o towards gpt-5-mini; {E5.moved_share} of the traffic moved.
gpt-4o handled {E5.rows.0.share_before} of the requests before and only {E5.rows.0.share} now.
The change is concentrated: the top team accounts for {E2.top_share} of it.
The deviation is large: key k1 moved by {E3.spreads} of its usual spreads.
A key leak is unlikely because the origins are unchanged.
An accounting artifact can be excluded, since requests and tokens rose as well.
What remains unclear is why the requests fail.
The provider's status page may show whether requests were rejected.
The change at that hour: {E4.rows.0.what}.
"""

NUMBERS = """
Spend rose by $900.
Spend rose by $83.71.
Spend rose by $83.7000001.
Spend rose by $83.70k.
Spend rose by 83.70 thousand dollars.
Spend rose by 83.70.
Spend rose by 83.70 tokens.
Spend rose by 83.70%.
Spend rose by $83.70%.
Spend rose by $83,70.
Spend rose by $8 3.70.
Spend rose by 83 dollars and 70 cents.
Spend rose by $83.70-ish.
Spend rose by $83.70 a month.
Spend rose by nine hundred dollars.
Spend rose by nine-hundred dollars.
Spend rose by "nine" hundred dollars.
Spend rose by ninehundred dollars.
Spend rose by five seven dollars.
Spend rose by a couple of thousand dollars.
Spend rose by thousands of dollars.
Spend rose by some dollars.
Spend rose by half a million.
Spend rose by a five-figure sum.
Spend rose by an order of magnitude.
Spend rose by a factor of nine.
Spend rose by MCM dollars.
Spend rose by mcm dollars.
Spend rose by 1e6 dollars.
Spend rose by 0x384.
Spend rose by 100+800 dollars.
Spend rose by 9*100 dollars.
Spend rose by 900dollars.
Spend rose by 900$.
Spend rose by $ 900.
Spend rose by #900.
Spend rose by €83.70.
Spend rose by 83.70 euro.
Spend rose by 8370 cents and 900 dollars.
Spend rose by over $84.
Spend rose by nearly $83.
Spend tripled.
Spend rose tenfold.
Spend rose six-fold.
Spend rose 8.1x.
Spend rose 2x.
Spend rose ten times {E1.delta_usd}.
Spend rose by twice {E1.delta_usd}.
Half of the requests failed.
Two thirds of the requests failed.
3/4 of the requests failed.
½ of the requests failed.
Nine in ten requests failed.
About ninety percent of requests failed.
Most of the requests failed.
Nearly all requests failed.
No request failed.
A single key failed.
Both keys failed.
Every second request failed.
The failed share of key k1 rose by 34%.
The failed share of key k1 is 33%.
Requests of key k1 grew tenfold.
12,345 keys were used.
12,345 requests of team search failed.
{E2.rows.0.requests} requests were retried.
Team search sent 12,346 requests.
There were 1 180 requests.
There were 1.180,5 requests.
There were \u0661\u0661 requests.
There were \uff11\uff11\uff18\uff10 requests.
There were 118⁰ requests.
There were 11\u200b80 requests of team ads.
It ran for three months.
The number is 42
Version 4 was used.
The third key failed.
The window has 25 hours.
Cost rose manyfold again.
Cost rose by 84 dollars and ten cents.
Cost rose by one percent.
Cost rose by eighty-three point seven dollars.
"""

DATES = """
It began on 11/4/2026.
It began on 2026/11/04.
It began on 04.11.2026.
It began on the 5th of December.
It began on 4 November 2025.
It began on Tuesday.
It began on Wednesday 5 November.
It began at 15:00.
It began at 3pm.
It began at 14:00:30.
It began at 14:00 CET.
It began at 14h.
It began on 2026-11-04T15:00:00Z.
It began in October.
It began in 2025.
It began in Q3.
It began in week 45.
It began yesterday.
It began last week.
It began two days ago.
It began within the last 24 hours.
It began in the morning.
It began on the 4th.
Cost rose by {E1.delta_usd} within minutes.
Cost rose by {E1.delta_usd} over the month.
Cost rose by {E1.delta_usd} overnight.
"""

NAMES = """
Team payments spent more.
Team nightfall spent more.
The nightfall team spent more.
Nightfall spent more.
nightfall spent more.
The project called nightfall spent more.
The keys k1, zeta and mu cost more.
Team growth spent more.
Team search eu spent more.
Team search-eu spent more.
Team search.eu spent more.
Team search/eu spent more.
Key k7 cost more.
Key k1-b cost more.
Key k10 cost more.
Model gpt-9 was used.
Model gpt-4.1-mini was used.
The Falcon model was used.
"Falcon" was used here.
The key 'zeta' is new.
The batch-runner key is new.
The key my_secret is new.
The region us-east-1 is new.
It ran in Frankfurt.
It ran on node.js again.
User jane was active.
Jane Doe was active.
It ran in frankfurt.
Cost rose, mostly by mallory.
Cost rose, mostly on claude.
Cost rose, as mallory retried.
EU is affected too.
The v2 client failed.
C\u043est rose again.
"""

REFERENCES = """
Cost rose by {E9.delta_usd}.
Cost rose by {E1.nothing}.
Cost rose by {E2.rows.9.actual_usd}.
Cost rose by {E2.rows.00.actual_usd}.
Cost rose by {E2.rows.-1.actual_usd}.
Cost rose by {E4.rows.0.scope}.
Cost rose by {E4.rows.0.matches}.
Cost rose by {E3.new_scope}.
Cost rose by {}.
Cost rose by {E1.delta_usd
Cost rose by {{E1.delta_usd}}.
Cost rose by {E1.delta_usd}000.
Cost rose by 1{E1.delta_usd}.
Cost rose by {E1.delta_usd}k.
Cost rose by {E1.delta_usd} million.
Cost rose by -{E1.delta_usd}.
Cost rose by {E1.delta_usd}{E1.actual_usd}.
Cost rose by {E1.delta_usd} {E1.actual_usd}.
Cost rose by {E1.delta_usd}/day.
Cost rose by {E1.delta_usd} per day.
Cost rose by {E1.delta_usd} in an hour.
Daily cost rose by {E1.delta_usd}.
Cost rose by {E1.delta_usd} requests.
Cost rose by {E1.delta_usd}%.
The failed share is {E3.failed_share} USD.
The failed share is ${E3.failed_share}.
The failed share is {E3.failed_share} requests.
There were {E2.rows.0.requests} failed requests.
There were {E4.new_keys} keys.
Team ads spent {E2.rows.0.actual_usd}.
Team ads spent {E1.actual_usd}.
Team ads spent $88.20.
Team {E2.rows.1.team} spent {E2.rows.0.actual_usd}.
Model gpt-5-mini took {E5.rows.0.share} of requests.
Spend fell by {E1.delta_usd}.
Spend fell by $83.70.
Spend was {E1.delta_usd} less than expected.
Spend was down {E1.delta_usd}.
Spend rose by {E1.cache_usd}.
Spend did not rise by {E1.delta_usd}.
Spend rose by {E1.actual_usd}.
Spend rose by $96.10.
Spend rose from {E1.actual_usd} to {E1.expected_usd}.
Spend rose from $96.10 to $12.40.
Cost fell to {E2.cost_ratio} of the usual.
The cached share fell by {E3.cache_read_share_rise}.
{E1.delta_usd} was saved.
Cost rose by {E1.delta_usd})x again.
Cost rose by {E1.delta_usd}'-x again.
Cost rose by x({E1.delta_usd} again.
Spend rose by {E1.delta_usd} in each of the four weeks.
Spend rose by far more than {E1.delta_usd}.
Spend rose by almost {E1.delta_usd}.
"""

ASSERTIONS = """
The owner confirmed it.
The owner said that {E1.delta_usd} was meant.
The leak was confirmed.
OpenAI announced a price rise.
The key has been revoked.
The problem is solved.
Someone rotated the key.
The provider refunded {E1.delta_usd}.
An attacker stole the key.
An outage caused the rise.
The rise is due to a bug.
bob leaked the key.
The owner does not object.
This was intentional.
A limit was set.
I checked it twice.
We checked all keys.
You should approve this.
Cost will double again.
Cost is back to normal.
Is key k1 the cause?
See https://evil.example/x for details.
See www.evil.example for details.
Write to a@b.example now.
Ask @bob about it.
![a](b) is the cause.
<b>cost</b> rose again.
The [cost](x) rose again.
Cost &lt;rose&gt; again.
Cost **rose** again.
| cost | rose |
# Cost rose again
"""

DROPPED = [
    sentence
    for table in (NUMBERS, DATES, NAMES, REFERENCES, ASSERTIONS)
    for sentence in table.strip().split("\n")
]


@pytest.mark.parametrize("sentence", KEPT.strip().split("\n"))
def test_what_the_evidence_backs_is_kept(sentence: str) -> None:
    checked = check_prose(sentence, KNOWN)
    assert checked.dropped == ()
    assert len(checked.kept) == 1


@pytest.mark.parametrize("sentence", DROPPED)
def test_what_nothing_backs_is_dropped_with_a_reason(sentence: str) -> None:
    checked = check_prose(sentence, KNOWN)
    assert checked.kept == ()
    assert [d.sentence for d in checked.dropped] == [sentence]
    assert checked.dropped[0].reason


def _shown(text: str) -> str:
    return render(check_prose(text, KNOWN).kept, BY_ID).markdown


def test_a_reference_is_printed_by_the_renderer() -> None:
    (text,) = check_prose("Spend rose by {E1.delta_usd}.", KNOWN).kept
    assert text == ("Spend rose by ", Ref("ev_a1", "delta_usd", "usd"), ".")


def test_units_are_said_once() -> None:
    assert _shown("Key k1 cost ${E3.actual_usd} USD.") == "Key k1 cost $85.50.\n"
    assert _shown("It is {E2.cost_ratio} times the usual.") == "It is 7.75x the usual.\n"
    assert _shown("The failed share is {E3.failed_share} percent.") == "The failed share is 34.2%.\n"


def test_a_fall_is_told_by_its_size() -> None:
    assert _shown("Team ads fell by {E2.rows.1.change_usd}.") == "Team ads fell by $3.70.\n"
    assert _shown("Team ads moved by {E2.rows.1.change_usd}.") == "Team ads moved by -$3.70.\n"


def test_cited_is_what_the_kept_sentences_rest_on() -> None:
    text = "Spend rose by {E1.delta_usd}. Team search sent 12,345 requests. Key k7 cost {E3.actual_usd}."
    assert check_prose(text, KNOWN).cited == ("ev_a1", "ev_b2")


def test_one_wrong_sentence_does_not_sink_its_neighbours() -> None:
    checked = check_prose("Spend rose by {E1.delta_usd}. Team zeta did it. Model gpt-4.1 is dearer.", KNOWN)
    assert [d.sentence for d in checked.dropped] == ["Team zeta did it."]
    assert len(checked.kept) == 2


def test_a_text_is_bounded() -> None:
    many = check_prose("Cost rose again. " * (MOST_SENTENCES + 5), KNOWN)
    assert (len(many.kept), len(many.dropped)) == (MOST_SENTENCES, 5)
    long = check_prose("Cost rose " + "again and " * MOST_CHARACTERS, KNOWN)
    assert long.kept == ()
    assert "4000 characters" in long.dropped[-1].reason


def test_a_name_with_markdown_in_it_is_escaped() -> None:
    odd = found("ev_f6", "breakdown", {}, ({"team": "a*b_[x](y)"},))
    (text,) = check_prose("Team a*b_[x](y) rose again.", known(odd)).kept
    assert text == ("Team a\\*b\\_\\[x\\](y) rose again.",)


def test_a_name_that_reads_as_an_amount_counts_only_beside_its_noun() -> None:
    odd = found("ev_f6", "breakdown", {}, ({"key_id": "$900"}, {"key_id": "the owner confirmed"}))
    assert check_prose("Key $900 rose again.", known(odd)).kept
    assert not check_prose("Spend rose by $900.", known(odd)).kept
    assert not check_prose("It is meant, the owner confirmed.", known(odd)).kept


@pytest.mark.parametrize(
    "text",
    [
        "{E1." * 25_000, "{" * 100_000, "$" * 100_000, "1," * 50_000, "1 to " * 20_000, "nine " * 20_000,
        "a-" * 50_000, "\n" * 100_000, "\n        \n" * 10_000, ". A" * 33_000, "no key " * 14_000,
        "IV" * 50_000, "key-" * 25_000, "'\"" * 50_000, "half a " * 14_000, "\u2014 " * 50_000,
    ],
)  # fmt: skip
def test_hostile_text_takes_no_time(text: str) -> None:
    names = frozenset(f"key-{i:08x}" + "x" * (i % 60) for i in range(5_000))
    read = known(others=names)
    start = time.perf_counter()
    checked = check_prose(text, read)
    assert time.perf_counter() - start < 2
    assert checked.kept == ()


@pytest.mark.parametrize(
    "text",
    [
        "Spend was {E1.expected_usd}.",
        "The failed share is {E3.retried_share}.",
        "Team search spent {E1.retries_usd}.",
        "Requests are {E2.cost_ratio} of before and tokens {E3.requests}.",
    ],
)
def test_a_reference_told_as_something_else_is_dropped(text: str) -> None:
    checked = check_prose(text, KNOWN)
    assert checked.kept == ()
    assert checked.dropped[0].reason


def test_a_label_without_braces_is_still_a_reference() -> None:
    assert "ev_a1" in _shown("As E1 shows, spend rose by {E1.delta_usd}.")
