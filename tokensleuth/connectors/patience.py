"""Asks again where a provider says `later` or does not answer, for as long as it says and not for ever."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import TypeVar

from tokensleuth.gateways.port import NotSentError

_T = TypeVar("_T")


def wait(seconds: float) -> None:
    """Of this thread only."""
    Event().wait(seconds)


@dataclass(frozen=True, slots=True)
class Patience:
    """Reading changes nothing, so it may be done again."""

    tries: int = 5
    first_wait_s: float = 1.0
    """Doubles with every try, where the provider does not say how long."""
    longest_wait_s: float = 60.0
    """A provider that says more is asked again at the next sync."""
    wait: Callable[[float], None] = wait

    def read(self, ask: Callable[[], _T]) -> _T:
        """The answer; raises GatewayError as `ask` does, NotSentError after the last try."""
        for attempt in range(self.tries - 1):
            try:
                return ask()
            except NotSentError as error:
                asked_for = error.retry_after_s
                seconds = self.first_wait_s * 2**attempt if asked_for is None else asked_for
                if seconds > self.longest_wait_s:
                    raise NotSentError(
                        f"{error}; it asks to wait {seconds:g} s, which is left to the next sync",
                        retry_after_s=asked_for,
                    ) from None
                self.wait(seconds)
        return ask()
