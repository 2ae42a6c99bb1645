"""`tokensleuth token`: a web token for a person, shown once; the settings keep only its hash."""

import secrets

from rich.text import Text

from ledger.errors import RefusedError
from tokensleuth.output import Outcome
from tokensleuth.people import token_digest


def run(name: str) -> Outcome:
    """256 random bits; nothing is stored."""
    if not name.strip():
        raise RefusedError("NAME is empty; give the approver's name as [[approver]] has it")
    token = secrets.token_urlsafe(32)
    digest = token_digest(token)
    shown = (
        f"The token of {name}, shown only this once:\n\n  {token}\n\n"
        f"Put its hash into tokensleuth.toml:\n\n"
        f'  [[approver]]\n  name = "{name}"\n  web_token_sha256 = "{digest}"\n  may = ["limit", "tell"]\n'
    )
    return Outcome({"name": name, "token": token, "web_token_sha256": digest}, [Text(shown)])
