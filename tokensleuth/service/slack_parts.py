"""The parts that talk with Slack, where it is configured: sending, taking what comes in, Socket Mode."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tokensleuth.app import App
from tokensleuth.approvals import Answer
from tokensleuth.casebook import Casebook
from tokensleuth.people import Identity
from tokensleuth.service.workers import Worker
from tokensleuth.slackapp.ingress import SlackIngress


@dataclass(frozen=True, slots=True)
class SlackParts:
    workers: tuple[Worker, ...]
    ingress: SlackIngress | None
    unhealthy: str | None = None

    @contextmanager
    def connected(self) -> Iterator[None]:
        yield


def slack_parts(
    app: App, casebook: Casebook, owner: str, undo: Callable[[str, Identity], Answer]  # noqa: ARG001
) -> SlackParts | None:
    return None
