"""Which gateways there are, by name; each is built when it is first asked for."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock

from pydantic import SecretStr

from ledger.errors import RefusedError
from tokensleuth.gateways.port import Gateway

DEFAULT_URLS: Mapping[str, str] = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
}
"""Of those that are in one place for everybody."""


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Where a gateway is and what opens it."""

    secret: SecretStr
    base_url: str = ""
    """Empty: the provider's own address."""
    timeout_s: float = field(default=20.0, kw_only=True)
    """For one call, its whole answer included."""


class Gateways(Mapping[str, Gateway]):
    """The configured gateways."""

    def __init__(self, configured: Mapping[str, GatewaySettings]) -> None:
        """Raises RefusedError for a name that is no gateway's and for a missing address."""
        for name, settings in configured.items():
            _check(name, settings)
        self._configured = dict(configured)
        self._built: dict[str, Gateway] = {}
        self._lock = Lock()

    def __getitem__(self, name: str) -> Gateway:
        """Raises KeyError where it is not configured, RefusedError where its settings cannot be used."""
        settings = self._configured[name]
        with self._lock:
            if name not in self._built:
                self._built[name] = BUILDERS[name](settings)
            return self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._configured)

    def __len__(self) -> int:
        return len(self._configured)

    def __contains__(self, name: object) -> bool:
        """Without building it."""
        return name in self._configured

    def __repr__(self) -> str:
        return f"Gateways({', '.join(self._configured)})"


def _check(name: str, settings: GatewaySettings) -> None:
    if name not in BUILDERS:
        raise RefusedError(f"there is no gateway {name!r}; known are {', '.join(BUILDERS)}")
    if not _address(name, settings):
        raise RefusedError(f"gateway {name} needs a base_url: it has no address of its own")


def _address(name: str, settings: GatewaySettings) -> str:
    return settings.base_url or DEFAULT_URLS.get(name, "")


# Imported when built: the clients take up to a second, which not every command should pay.
def _litellm(settings: GatewaySettings) -> Gateway:
    from tokensleuth.gateways.litellm import LiteLlm

    return LiteLlm(_address("litellm", settings), settings.secret, timeout_s=settings.timeout_s)


def _openai(settings: GatewaySettings) -> Gateway:
    from tokensleuth.gateways.openai_admin import OpenAiAdmin

    return OpenAiAdmin(_address("openai", settings), settings.secret, timeout_s=settings.timeout_s)


def _anthropic(settings: GatewaySettings) -> Gateway:
    from tokensleuth.gateways.anthropic_admin import AnthropicAdmin

    return AnthropicAdmin(_address("anthropic", settings), settings.secret, timeout_s=settings.timeout_s)


def _webhook(settings: GatewaySettings) -> Gateway:
    from tokensleuth.gateways.webhook import Webhook

    return Webhook(settings.base_url, settings.secret, timeout_s=settings.timeout_s)


BUILDERS: Mapping[str, Callable[[GatewaySettings], Gateway]] = {
    "litellm": _litellm,
    "openai": _openai,
    "anthropic": _anthropic,
    "webhook": _webhook,
}
