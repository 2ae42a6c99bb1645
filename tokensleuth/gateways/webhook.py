"""The gateway for everything else: a web address of yours that is asked and told by signed requests.

docs/webhook.md is the contract for who implements it.
"""

import hmac
from hashlib import sha256
from uuid import uuid4

import httpx2
from pydantic import JsonValue, SecretStr

from agent.measures import Measure
from agent.target import Target
from ledger.errors import RefusedError
from tokensleuth.clock import utc_instant
from tokensleuth.gateways.generic_plans import plan_anywhere, wanted_anywhere
from tokensleuth.gateways.http import JsonHttp
from tokensleuth.gateways.http_answer import MissingError
from tokensleuth.gateways.port import GONE, NotSentError, Place, Plan, State, UnsureError
from tokensleuth.gateways.shapes import ProviderAnswer, taken

TIMESTAMP = "X-Tokensleuth-Timestamp"
SIGNATURE = "X-Tokensleuth-Signature"
LEAST_SECRET = 16
"""Characters; a shorter secret can be guessed from one signed request."""


class _Told(ProviderAnswer):
    state: dict[str, JsonValue] | None


class Webhook:
    """The gateway `webhook`."""

    def __init__(
        self,
        base_url: str,
        secret: SecretStr,
        *,
        timeout_s: float = 20.0,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Raises RefusedError for an address that is none and a secret that is too short."""
        if len(secret.get_secret_value()) < LEAST_SECRET:
            raise RefusedError(f"the webhook's secret must have at least {LEAST_SECRET} characters")
        # A kept connection that the receiver closes meanwhile would make a write's outcome unsure.
        fresh = httpx2.HTTPTransport(limits=httpx2.Limits(max_keepalive_connections=0))
        self._http = JsonHttp(base_url, {}, timeout_s, _Signing(secret, transport or fresh))

    def __repr__(self) -> str:
        return f"Webhook({self._http!r})"

    @property
    def name(self) -> str:
        return "webhook"

    def close(self) -> None:
        self._http.close()

    def plan(self, measure: Measure, target: Target) -> Plan:
        return plan_anywhere(measure, target, "the webhook")

    def wanted(self, measure: Measure, before: State) -> State:
        return wanted_anywhere(measure, before)

    def read(self, place: Place) -> State | None:
        try:
            state = self._asked("read", place, None, None, str(uuid4()))
        except MissingError:
            state = None
        except UnsureError as error:  # reading changes nothing, whatever became of it
            raise NotSentError(str(error)) from None
        if state is None:
            return GONE if place.fields == ("exists",) else None
        return {name: state.get(name) for name in place.fields}

    def write(self, place: Place, state: State, *, before: State, idempotency_key: str) -> None:
        try:
            self._asked("write", place, state, before, idempotency_key)
        except MissingError:
            if state != GONE:
                raise

    def _asked(
        self, verb: str, place: Place, state: State | None, before: State | None, idempotency_key: str
    ) -> dict[str, JsonValue] | None:
        body: dict[str, JsonValue] = {
            "action": place.kind,
            "at": utc_instant().isoformat().replace("+00:00", "Z"),
            "before": None if before is None else dict(sorted(before.items())),
            "fields": [*place.fields],
            "id": str(uuid4()),
            "idempotency_key": idempotency_key,
            "state": None if state is None else dict(sorted(state.items())),
            "target": dict(sorted(place.ids.items())),
            "verb": verb,
        }
        answer = self._http.post("", body, idempotency_key=idempotency_key)
        return taken(_Told, answer, "the webhook", written=True).state


class _Signing(httpx2.BaseTransport):
    """Signs the very bytes that are sent."""

    def __init__(self, secret: SecretStr, inner: httpx2.BaseTransport) -> None:
        self._secret = secret
        self._inner = inner

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        timestamp = str(int(utc_instant().timestamp()))
        request.headers[TIMESTAMP] = timestamp
        request.headers[SIGNATURE] = signature(self._secret, timestamp, request.read())
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


def signature(secret: SecretStr, timestamp: str, body: bytes) -> str:
    """`v1=` and the hexadecimal HMAC-SHA256 of `timestamp.body`."""
    signed = timestamp.encode() + b"." + body
    return "v1=" + hmac.new(secret.get_secret_value().encode(), signed, sha256).hexdigest()
