"""`tokensleuth pseudonymise` and `tokensleuth pseudonym`: users out of the stores, and one looked up."""

from ledger.compacting import compact
from ledger.errors import RefusedError
from tokensleuth.app import App
from tokensleuth.casebook.audit import Entry, append_entry
from tokensleuth.clock import utc_now
from tokensleuth.output import Outcome
from tokensleuth.privacy.casebook_users import hide_in_casebook
from tokensleuth.privacy.pseudonym import pseudonyms_under
from tokensleuth.privacy.settings import PrivacySettings
from tokensleuth.terminal.tables import plain_table

_KEPT = (
    "Not rewritten: the audit trail, proposals, and what was written of incidents that were decided on; "
    "letters and clicks go with retention.outbox_days and inbox_days."
)


def run_pseudonymise(app: App, settings: PrivacySettings, *, dry_run: bool) -> Outcome:
    """Casebook first: once the ledger is rewritten nobody knows any more which names to look for."""
    if not settings.pseudonymous_users:
        raise RefusedError("set privacy.pseudonymous_users = true first; else the next load is refused")
    with app.ledger() as ledger, app.casebook() as casebook:
        pseudonym, users = pseudonyms_under(casebook.key), ledger.users.named()
        if dry_run:
            return Outcome(
                {"dry_run": True, "users": len(users)}, [f"{len(users):,} users would be rewritten."]
            )
        in_casebook = hide_in_casebook(casebook, users, pseudonym)
        in_ledger = ledger.users.hide(pseudonym)
        counts = {"ledger": in_ledger, "casebook": in_casebook}
        if in_casebook or users:
            with casebook.writing() as connection:
                entry = Entry("tokensleuth", "pseudonymised", "users", counts, utc_now())
                append_entry(connection, entry, casebook.key)
    if users:
        compact(app.settings.store.ledger)  # the old names stand in free blocks of the file else
    rows = [(store, name, f"{n:,}") for store, found in counts.items() for name, n in found.items()]
    return Outcome({"dry_run": False, **counts}, [plain_table(("store", "rows of", "changed"), rows), _KEPT])


def run_pseudonym(app: App, name: str) -> Outcome:
    """Under which pseudonyms a person is stored: by the name itself, and by ids that bear this name."""
    if not name.strip():
        raise RefusedError("NAME is empty; give a user as sources name them, or an e-mail address")
    with app.casebook() as casebook:
        pseudonym = pseudonyms_under(casebook.key)(name)
    ids: list[str] = []
    if app.settings.store.ledger.exists():
        with app.reading_ledger() as ledger:
            found = ledger.pulled.names()
        ids = sorted(
            {id_ for (_, kind, id_), called in found.items() if kind == "user" and called == pseudonym}
        )
    document = {"pseudonym": pseudonym, "ids": ids}
    return Outcome(
        document, [pseudonym, *(f"{id_} (the id a source gives for it)" for id_ in ids if id_ != pseudonym)]
    )
