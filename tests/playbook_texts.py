"""A short playbook as text, to be broken in every way."""

GOOD = """+++
cause = "retry_storm"
verdict = "confirmed"
title = "Sent again"
summary = "Requests are sent again and again."
actions = ["notify_owner"]
owner_text = "{scope} cost {delta_usd} more, {window}"
verify = "The share of retries is usual."

[[confirms]]
fact = "retried_share_rise"
op = "at_least"
value = 0.1
weight = 3
why = "more retries"
source = "measured"

[[refutes]]
fact = "rise"
op = "at_most"
value = 0
weight = 1
why = "it fell"

[verify_when]
fact = "cost_ratio"
op = "at_most"
value = 1.2
hours = 3
+++
# For people
"""
