"""The secret of an installation: signs the audit trail, the buttons and the web sessions."""

import os
import secrets
from pathlib import Path

from ledger.errors import RefusedError, UnreachableError

LEAST_BYTES = 16


def key_from_text(text: str) -> bytes:
    """The key of TOKENSLEUTH_SECRET; raises RefusedError where it is short enough to be guessed."""
    key = text.strip().encode()
    if len(key) < LEAST_BYTES:
        raise RefusedError(f"TOKENSLEUTH_SECRET has {len(key)} bytes; give it at least {LEAST_BYTES}")
    return key


def key_in_file(path: Path) -> bytes:
    """The key in the file, which is made with mode 0600 on first use."""
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise UnreachableError(f"the key file `{path}` cannot be used: {error.strerror}") from None
    if len(key) < LEAST_BYTES:
        raise RefusedError(f"the key file `{path}` holds {len(key)} bytes; it needs {LEAST_BYTES} or more")
    return key


def _make(path: Path) -> None:
    """Written aside and linked into place, so that of two makers one wins and nobody reads half a key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_hex(32).encode())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()
