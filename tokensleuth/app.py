"""The composition root: the only place that puts concrete stores, prices and settings together."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.llm.port import ChatModel
from detectors.accepted import Baseline
from ledger.ingest.stage import Attribution, Owned
from ledger.owners import owner_of
from ledger.prices.book import PriceBook
from ledger.prices.makers import provider_of
from ledger.pseudonyms import Pseudonym
from ledger.store import Ledger, open_ledger, read_ledger
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.keyfile import key_from_text
from tokensleuth.casebook.opening import is_there, key_beside
from tokensleuth.privacy.pseudonym import pseudonyms_under
from tokensleuth.settings import LlmSettings, Settings, Store
from tokensleuth.settings_reading import read_settings

LEDGER_WAIT_S = 20
"""How long a command waits for another process to be done with the ledger."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line says instead of the settings file."""

    config: Path | None = None
    ledger: Path | None = None
    casebook: str | None = None


@dataclass(frozen=True, slots=True)
class App:
    """Settings in force and the parts they describe; stores are open for as long as a command needs them."""

    settings: Settings
    model: ChatModel | None = None
    """The language model that investigates; None leaves it to the deterministic analyst."""
    config: Path | None = None
    """The file of the settings where one was named, for processes that are started to help."""

    @classmethod
    def configured(cls, overrides: Overrides) -> "App":
        """Read the settings and apply the command line; raises RefusedError for wrong settings."""
        settings = read_settings(overrides.config)
        given = {"ledger": overrides.ledger, "casebook": overrides.casebook}
        store = {**settings.store.model_dump(), **{k: v for k, v in given.items() if v is not None}}
        chosen = settings.model_copy(update={"store": Store.model_validate(store)})
        return cls(chosen, _chat_model(chosen.llm), overrides.config)

    @contextmanager
    def ledger(self, *, create: bool = False) -> Iterator[Ledger]:
        with open_ledger(self.settings.store.ledger, create=create, wait_s=LEDGER_WAIT_S) as ledger:
            yield ledger

    @contextmanager
    def reading_ledger(self) -> Iterator[Ledger]:
        """Beside other readers; writing through it fails."""
        with read_ledger(self.settings.store.ledger, wait_s=LEDGER_WAIT_S) as ledger:
            yield ledger

    @contextmanager
    def casebook(self) -> Iterator[Casebook]:
        secret = self.settings.secret
        key = key_from_text(secret.get_secret_value()) if secret else None
        with Casebook.open(self.settings.store.casebook_url, key=key) as casebook:
            yield casebook

    def accepted_baselines(self) -> tuple[Baseline, ...]:
        """Those in force; a casebook that does not exist yet holds none, and is not made."""
        if not is_there(self.settings.store.casebook_url):
            return ()
        with self.casebook() as casebook:
            return tuple(c.baseline for c in casebook.baselines() if c.state == "accepted")

    def price_book(self) -> PriceBook:
        return PriceBook(overrides=self.settings.price_override, aliases=self.settings.model_alias)

    def attribution(self) -> Attribution:
        def team_of(owned: Owned) -> str:
            return owner_of(
                self.settings.owner,
                provider=owned.provider,
                project=owned.project,
                key_id=owned.key_id,
                user=owned.user,
            )

        return Attribution(provider_of=provider_of, team_of=team_of, pseudonym=self._pseudonym())

    def _pseudonym(self) -> Pseudonym | None:
        """What users are stored as, where the settings ask for it: made with the casebook's key."""
        if not self.settings.privacy.pseudonymous_users:
            return None
        secret = self.settings.secret
        if secret is None:
            return pseudonyms_under(key_beside(self.settings.store.casebook_url))
        return pseudonyms_under(key_from_text(secret.get_secret_value()))


def _chat_model(llm: LlmSettings) -> ChatModel | None:
    """The model that is configured; None where the model or its key is missing."""
    if not llm.model or llm.api_key is None:
        return None
    # Imported here: the client takes a second to load, which commands without a model need not pay.
    from agent.llm.openai_chat import Endpoint, OpenAIChat

    return OpenAIChat(
        Endpoint(
            base_url=llm.base_url,
            model=llm.model,
            api_key=llm.api_key.get_secret_value(),
            request_seconds=llm.request_seconds,
            retries=llm.retries,
        )
    )
