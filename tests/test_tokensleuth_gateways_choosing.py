"""Which gateways there are: what is configured, built when it is asked for."""

import subprocess
import sys

import pytest
from pydantic import SecretStr

from ledger.errors import RefusedError
from tokensleuth.gateways.choosing import BUILDERS, Gateways, GatewaySettings

SECRET = "a-secret-that-nobody-is-told"  # noqa: S105  # opens nothing
LOCAL = "http://127.0.0.1:9"


def settings(base_url: str = "") -> GatewaySettings:
    return GatewaySettings(SecretStr(SECRET), base_url)


@pytest.mark.parametrize("name", BUILDERS)
def test_each_gateway_is_built_once_under_its_name(name: str) -> None:
    gateways = Gateways({name: settings(LOCAL)})
    assert gateways[name].name == name
    assert gateways[name] is gateways[name]


def test_only_what_is_configured_is_there() -> None:
    gateways = Gateways({"webhook": settings(LOCAL)})
    assert (list(gateways), len(gateways)) == (["webhook"], 1)
    assert gateways.get("litellm") is None
    assert dict(Gateways({})) == {}


def test_a_provider_in_one_place_for_everybody_needs_no_address() -> None:
    gateways = Gateways({"openai": settings(), "anthropic": settings()})
    assert repr(gateways["openai"]) == "OpenAiAdmin('api.openai.com')"
    assert repr(gateways["anthropic"]) == "AnthropicAdmin(JsonHttp('api.anthropic.com'))"


@pytest.mark.parametrize("name", ["litellm", "webhook"])
def test_a_gateway_of_yours_needs_an_address(name: str) -> None:
    with pytest.raises(RefusedError, match=f"gateway {name} needs a base_url"):
        Gateways({name: settings()})


def test_a_name_that_is_no_gateways_is_refused() -> None:
    with pytest.raises(
        RefusedError, match="no gateway 'kong'; known are litellm, openai, anthropic, webhook"
    ):
        Gateways({"kong": settings(LOCAL)})


def test_no_secret_is_printed() -> None:
    gateways = Gateways({name: settings(LOCAL) for name in BUILDERS})
    shown = [repr(gateways), repr(settings(LOCAL)), *(repr(gateways[name]) for name in gateways)]
    assert not [text for text in shown if SECRET in text]


def test_no_client_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys; from pydantic import SecretStr; "
        "from tokensleuth.gateways.choosing import Gateways, GatewaySettings; "
        "Gateways({'openai': GatewaySettings(SecretStr('x'))}); print(*sorted(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"openai", "httpx2"} & set(loaded.stdout.split())
