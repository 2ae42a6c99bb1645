"""What a button carries: a verb, what it is about, and a signature; never what would be done."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

Verb = Literal["approve", "reject", "details", "undo", "expected", "not-an-issue", "real"]

UNHASHED: Final = "0" * 64
"""In place of a payload hash, where the subject is an incident."""
_SEEN: Final = 16
_MAC: Final = 32
"""Hex digits: 128 bits."""
_VALUE = re.compile(
    rf"v1\.({'|'.join(get_args(Verb))})\.([A-Za-z0-9_-]{{1,64}})\.(0|[1-9][0-9]{{0,8}})"
    rf"\.([0-9a-f]{{{_SEEN}}})\.([0-9a-f]{{{_MAC}}})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Button:
    """A button of ours that somebody pressed."""

    verb: Verb
    subject_id: str
    """A proposal; of feedback, an incident."""
    round: int
    seen: str
    """The start of the payload hash of what was shown."""

    def saw(self, payload_hash: str) -> bool:
        """Whether this is what the person was shown."""
        return hmac.compare_digest(self.seen, payload_hash[:_SEEN])


def button_value(verb: Verb, subject_id: str, round_number: int, payload_hash: str, key: bytes) -> str:
    """The signed value; raises ValueError for a subject or hash that no button can carry."""
    signed = f"v1.{verb}.{subject_id}.{round_number}.{payload_hash[:_SEEN]}"
    value = f"{signed}.{_mac(signed, key)}"
    if not _VALUE.fullmatch(value):
        raise ValueError(
            f"no button can carry {verb} of {subject_id!r}, round {round_number}, {payload_hash!r}"
        )
    return value


def read_button(value: str, key: bytes) -> Button | None:
    """The button of that value; None for what we did not sign."""
    match = _VALUE.fullmatch(value) if len(value) <= 200 else None
    if match is None or not hmac.compare_digest(_mac(value[: match.start(5) - 1], key), match[5]):
        return None
    return Button(cast(Verb, match[1]), match[2], int(match[3]), match[4])


def _mac(signed: str, key: bytes) -> str:
    """Under a name of its own: the key signs sessions and the audit too."""
    return hmac.new(key, b"slack button\0" + signed.encode(), hashlib.sha256).hexdigest()[:_MAC]
