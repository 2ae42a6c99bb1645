from datetime import timedelta

import pytest
from pydantic import ValidationError

from ledger.errors import RefusedError
from tokensleuth.otlp.flushing import FlushRules
from tokensleuth.otlp.settings import OtlpSettings, refuse_open_door


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    refuse_open_door(OtlpSettings(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "otlp.example"])  # noqa: S104
def test_any_other_address_does(host: str) -> None:
    with pytest.raises(RefusedError, match=f"otlp.host is {host}"):
        refuse_open_door(OtlpSettings(host=host))


def test_own_attributes_replace_those_of_their_dimension_only() -> None:
    naming = OtlpSettings(attributes={"team": ("org.unit",)}).naming
    assert naming.attributes["team"] == ("org.unit",)
    assert naming.attributes["client"] == ("service.name",)


@pytest.mark.parametrize(
    "wrong", [{"attributes": {"model": ("m",)}}, {"attributes": {"colour": ("c",)}}, {"x": 1}]
)
def test_what_is_no_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        OtlpSettings.model_validate(wrong)


def test_a_flush_goes_by_the_settings() -> None:
    rules = FlushRules.of(OtlpSettings(signal="spans", settle_seconds=10, keep_days=3))
    assert rules == FlushRules("spans", timedelta(seconds=10), timedelta(days=3))
