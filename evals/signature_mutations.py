"""Requests that Slack never sent, made from one that it did: none may be taken, none may break the endpoint.

`python -m evals.signature_mutations --count 10000` prints how many were taken and how many answers were 5xx.
"""

import argparse
import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import func, select

from tokensleuth.casebook import Casebook
from tokensleuth.casebook.schema_acts import inbox
from tokensleuth.slackapp.ingress import SlackIngress
from tokensleuth.slackapp.signing import MAX_AGE_S, MAX_BODY_BYTES, sign

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"  # noqa: S105  # of Slack's documentation
NOW = datetime(2026, 11, 4, 9, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BODY = b"payload=%7B%22type%22%3A%22block_actions%22%2C%22note%22%3A%22caf%C3%A9+\xc3\xa9%22%7D"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, its headers in order."""

    stamps: tuple[str, ...]
    signatures: tuple[str, ...]
    body: bytes
    names: tuple[str, str] = ("X-Slack-Request-Timestamp", "X-Slack-Signature")

    @property
    def headers(self) -> list[tuple[str, str]]:
        stamp, signature = self.names
        return [(stamp, value) for value in self.stamps] + [(signature, value) for value in self.signatures]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of mutated requests."""

    sent: int
    taken: int
    """Answered with 200."""
    broken: int
    """Answered with 5xx, or with an exception."""
    stored: int
    """Rows in the inbox."""
    by_status: dict[int, int]


Mutation = Callable[[random.Random, Request], Request]


def signed(body: bytes = BODY, stamp: str = STAMP, secret: str = SECRET) -> Request:
    """A request as Slack signs it."""
    return Request((stamp,), (sign(body, secret, stamp),), body)


def mutated(count: int, seed: int) -> Iterator[Request]:
    """So many requests, each unlike the right one."""
    chance, right = random.Random(seed), signed()  # noqa: S311
    while count:
        made = chance.choice(MUTATIONS)(chance, right)
        if made != right:
            count -= 1
            yield made


def tried(casebook: Casebook, count: int, seed: int) -> Outcome:
    """Send them all to the endpoint."""
    ingress = SlackIngress(casebook, SecretStr(SECRET), lambda: NOW)
    statuses = Counter(ingress.respond(r.headers, r.body).status for r in mutated(count, seed))
    with casebook.reading() as connection:
        stored = connection.scalar(select(func.count()).select_from(inbox)) or 0
    broken = sum(n for status, n in statuses.items() if status >= 500)
    return Outcome(count, statuses[200], broken, stored, dict(sorted(statuses.items())))


def _text(chance: random.Random, text: str) -> str:
    """Another text that looks alike, or not at all."""
    at = chance.randrange(max(len(text), 1))
    return chance.choice([
        text[:at] + chr(ord(text[at : at + 1] or "0") ^ 1) + text[at + 1 :],
        text[:at], text[at:][1:], text + text[at:], text.upper(), "", " " + text, text + " ", text + "\n",
        text + "\0", text.translate(_FULL_WIDTH), text[:at] + chance.choice(_STRANGE) + text[at:],
        text[:at] + chance.choice(_STRANGE) + text[at + 1 :], f"+{text}", f"-{text}", f"0{text}", f"{text}.0",
        "9" * 400, "1e9", "v1=" + text[3:], chance.choice(_STRANGE) * 64,
    ])  # fmt: skip


_STRANGE = ("\u200b", "é", "\u0661", "\ud800", "\x7f", "１", "_", "\t", "\N{PILE OF POO}", "ª")  # noqa: RUF001
_FULL_WIDTH = {ord(str(digit)): 0xFF10 + digit for digit in range(10)}


def _other_stamp(chance: random.Random, right: Request) -> Request:
    return replace(right, stamps=(_text(chance, right.stamps[0]),))


def _signed_odd_stamp(chance: random.Random, right: Request) -> Request:
    """Signed rightly, with a timestamp that is none or of another time."""
    away = chance.choice([-1, 1]) * chance.randrange(MAX_AGE_S + 1, 10**9)
    stamp = chance.choice([str(int(STAMP) + away), _text(chance, STAMP)])
    return right if _is_near(stamp) else signed(right.body, stamp.encode("utf-8", "replace").decode())


def _is_near(stamp: str) -> bool:
    """A request of such a time, signed, is right."""
    digits = len(stamp) == 10 and stamp.isascii() and stamp.isdecimal()
    return digits and abs(int(stamp) - int(STAMP)) <= MAX_AGE_S


def _other_signature(chance: random.Random, right: Request) -> Request:
    return replace(right, signatures=(_text(chance, right.signatures[0]),))


def _other_body(chance: random.Random, right: Request) -> Request:
    body, at = right.body, chance.randrange(len(right.body))
    byte = bytes([chance.randrange(256)])
    made = [
        body[:at] + byte + body[at + 1 :],
        body[:at] + byte + body[at:],
        body[:at],
        body + byte,
        body[at:],
    ]
    return replace(right, body=chance.choice(made))


def _other_secret(chance: random.Random, right: Request) -> Request:
    secret = chance.choice(["", SECRET[:-1], SECRET + "0", SECRET.upper(), "0" * 32])
    return signed(right.body, right.stamps[0], secret)


def _no_text(chance: random.Random, right: Request) -> Request:
    """Signed rightly, but not UTF-8."""
    at = chance.randrange(len(right.body))
    return signed(right.body[:at] + chance.choice([b"\xff", b"\xc3(", b"\xed\xa0\x80"]) + b"(" + right.body)


def _too_much(chance: random.Random, right: Request) -> Request:
    return signed(right.body + b"a" * (MAX_BODY_BYTES - len(right.body) + chance.randrange(1, 100)))


def _other_count(chance: random.Random, right: Request) -> Request:
    stamps, signatures = right.stamps, right.signatures
    counts = [
        ((), signatures),
        (stamps, ()),
        ((), ()),
        (stamps * 2, signatures),
        (stamps, signatures * 2),
        (stamps, (*signatures, "v0=" + "0" * 64)),
        (("0", *stamps), signatures),
    ]
    stamps, signatures = chance.choice(counts)
    return replace(right, stamps=stamps, signatures=signatures)


def _other_names(chance: random.Random, right: Request) -> Request:
    stamp, signature = right.names
    strange = [f"{signature} ", signature.replace("-", "_"), "X-Slack-\u017fignature", ""]
    return replace(right, names=chance.choice([(signature, stamp), *((stamp, name) for name in strange)]))


MUTATIONS: tuple[Mutation, ...] = (
    _other_stamp, _signed_odd_stamp, _other_signature, _other_body, _other_secret, _no_text, _other_count,
    _other_names, _other_stamp, _other_signature, _other_body, _too_much,
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=20261104)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tokensleuth-") as folder:
        path = Path(folder) / "casebook.sqlite"
        with Casebook.open(f"sqlite:///{path}", key=b"the key of the mutations") as casebook:
            outcome = tried(casebook, asked.count, asked.seed)
    print(json.dumps({name: getattr(outcome, name) for name in Outcome.__dataclass_fields__}))


if __name__ == "__main__":
    main()
