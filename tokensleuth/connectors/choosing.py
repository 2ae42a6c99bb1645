"""Which sources there are: those of the settings, else the gateways whose keys are in the environment."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from ledger.errors import RefusedError
from tokensleuth.connectors.patience import Patience
from tokensleuth.connectors.port import Source
from tokensleuth.connectors.settings import KEY_OF, SourceKind, SourceSettings
from tokensleuth.settings_acts import GatewayAddress, Gateways


def configured_sources(sources: Sequence[SourceSettings], gateways: Gateways) -> Sequence[SourceSettings]:
    """Raises RefusedError where there are none."""
    if sources:
        return sources
    addresses: Mapping[SourceKind, GatewayAddress] = {
        "openai": gateways.openai,
        "anthropic": gateways.anthropic,
        "litellm": gateways.litellm,
    }
    found = tuple(
        SourceSettings(kind=kind, base_url=address.base_url).model_copy(update={"secret": address.secret})
        for kind, address in addresses.items()
        if address.secret is not None
    )
    if not found:
        keys = ", ".join(KEY_OF[kind] for kind in addresses)
        raise RefusedError(
            f"no source to pull from: set one of {keys}, or write a [[source]]; see docs/sources.md"
        )
    return found


def chosen(sources: Sequence[SourceSettings], name: str | None) -> Sequence[SourceSettings]:
    """The one of that name; raises RefusedError where there is none."""
    found = [source for source in sources if name in (None, source.called)]
    if not found:
        known = ", ".join(source.called for source in sources)
        raise RefusedError(f"no source is called {name!r}; there are: {known}")
    return found


def source_of(settings: SourceSettings, patience: Patience | None = None) -> Source:
    """Raises RefusedError for a missing key, and for an address or a key that HTTP cannot hold."""
    # Imported here: the SDK of one vendor takes a second to load, which the others need not pay.
    match settings.kind:
        case "openai":
            from tokensleuth.connectors.openai_source import OpenAiSource

            return OpenAiSource(settings, patience=patience)
        case "anthropic":
            from tokensleuth.connectors.anthropic_source import AnthropicSource

            return AnthropicSource(settings, patience=patience)
        case "litellm":
            from tokensleuth.connectors.litellm_source import LiteLlmSource

            return LiteLlmSource(settings, patience=patience)
        case "langfuse":
            from tokensleuth.connectors.langfuse_source import LangfuseSource

            return LangfuseSource(settings, patience=patience)
        case "bedrock":
            from tokensleuth.connectors.bedrock_source import BedrockSource

            return BedrockSource(settings, patience=patience)
        case "copilot":
            from tokensleuth.connectors.copilot_source import CopilotSource

            return CopilotSource(settings, patience=patience)
        case _:
            assert_never(settings.kind)
