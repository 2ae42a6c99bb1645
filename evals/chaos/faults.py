"""What goes wrong at the outside besides: answers that are lost, late or wrong, at the proxy and at Slack."""

from random import Random

from evals.fake_litellm import FakeLiteLlm
from evals.fake_litellm_journal import FaultKind
from evals.fake_slack import FakeSlack, How

WRITES: tuple[FaultKind, ...] = (
    "drop_before",
    "drop_after",
    "error_before",
    "error_after",
    "later",
    "html",
)
READS: tuple[FaultKind, ...] = ("drop_before", "error_before", "later", "html")
ANSWERS: tuple[How, ...] = ("lost_reply", "lost_request", "busy", "broken", "html")
METHODS = (
    "chat.postMessage",
    "chat.postMessage",
    "chat.update",
    "chat.postEphemeral",
    "conversations.history",
)
MOST = 2
"""Of each kind in a trial: with one more, a write could rightly be given up after three tries."""


def stir(random: Random, litellm: FakeLiteLlm, slack: FakeSlack) -> int:
    """Let a few of the next calls fail; how many."""
    writes, reads, answers = (random.randint(0, MOST) for _ in range(3))
    for _ in range(writes):
        litellm.fail(random.choice(WRITES), path="/key")
    for _ in range(reads):
        litellm.fail(random.choice(READS), method="GET")
    for _ in range(answers):
        slack.fail(random.choice(METHODS), random.choice(ANSWERS))
    return writes + reads + answers
