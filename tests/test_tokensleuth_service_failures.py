from datetime import UTC, datetime, timedelta

from pydantic import SecretStr
from sqlalchemy import select

from tokensleuth.casebook import Casebook
from tokensleuth.casebook.notices import open_notices
from tokensleuth.casebook.schema_acts import outbox
from tokensleuth.service.failures import tell_of_failures
from tokensleuth.settings import Settings
from tokensleuth.settings_acts import SlackSettings

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SETTINGS = Settings(slack=SlackSettings(channel="C0OPS", bot_token=SecretStr("xoxb-nobody")))
STUCK = {"detect": "the ledger cannot be opened"}


def letters(casebook: Casebook) -> int:
    with casebook.reading() as connection:
        return len(connection.scalars(select(outbox.c.id)).all())


def titles(casebook: Casebook) -> list[str]:
    with casebook.reading() as connection:
        return [kept.notice.title for kept in open_notices(connection)]


def test_a_duty_that_is_stuck_is_told_when_it_lasts_and_when_it_is_over(casebook: Casebook) -> None:
    tell_of_failures(casebook, STUCK, SETTINGS, NOW)
    assert titles(casebook) == ["The service cannot do its detect"]
    assert letters(casebook) == 0
    for minutes in (20, 21):
        tell_of_failures(casebook, STUCK, SETTINGS, NOW + timedelta(minutes=minutes))
    assert letters(casebook) == 1
    tell_of_failures(casebook, {}, SETTINGS, NOW + timedelta(minutes=30))
    assert titles(casebook) == []
    assert letters(casebook) == 2


def test_what_passes_by_itself_is_told_to_nobody(casebook: Casebook) -> None:
    tell_of_failures(casebook, STUCK, SETTINGS, NOW)
    tell_of_failures(casebook, {}, SETTINGS, NOW + timedelta(minutes=5))
    tell_of_failures(casebook, {}, SETTINGS, NOW + timedelta(minutes=50))
    assert letters(casebook) == 0
