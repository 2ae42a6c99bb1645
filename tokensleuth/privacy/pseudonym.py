"""The pseudonym of a person: 64 bits of a keyed hash, the same wherever the name comes from."""

import hashlib
import hmac

from ledger.pseudonyms import Pseudonym, is_pseudonym

_ABOUT = "tokensleuth user\x1f"
"""The same key signs other things; what it signs here begins with this."""


def pseudonyms_under(key: bytes) -> Pseudonym:
    """`u_` and 16 hex digits of HMAC-SHA256; a pseudonym stays as it is, so that our own exports load."""

    def pseudonym(name: str) -> str:
        given = name.strip()
        if is_pseudonym(given):
            return given
        return f"u_{hmac.new(key, f'{_ABOUT}{given}'.encode(), hashlib.sha256).hexdigest()[:16]}"

    return pseudonym
