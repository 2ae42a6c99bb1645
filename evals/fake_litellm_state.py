"""What a LiteLLM proxy keeps of keys and teams and how requests change it, as seen at litellm 1.102.4."""

import copy
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from pydantic import JsonValue

Row = dict[str, JsonValue]

NUMBERS = ("tpm_limit", "rpm_limit", "max_budget")
PLAIN = (*NUMBERS, "budget_duration", "models", "key_alias", "team_alias")
PER_MODEL = ("model_tpm_limit", "model_rpm_limit")
MODELS = ("gpt-4o", "gpt-4o-mini", "claude-sonnet")


class Told(NamedTuple):
    """An answer."""

    status: int
    document: JsonValue
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Proxy:
    """Keys by hash and teams by id."""

    keys: dict[str, Row] = field(default_factory=dict)
    teams: dict[str, Row] = field(default_factory=dict)
    models: tuple[str, ...] = MODELS
    logs: list[JsonValue] = field(default_factory=list)
    """Rows of the spend log."""

    def ask(self, path: str, query: dict[str, str]) -> Told:
        """Answer a GET."""
        match path:
            case "/key/info":
                key = hashed(query.get("key", ""))
                row = self.keys.get(key)
                return (
                    _missing("Key not found in database") if row is None else _ok({"key": key, "info": row})
                )
            case "/team/info":
                team = query.get("team_id", "")
                if team not in self.teams:
                    return _missing(f"{{'message': 'Team not found, passed team id: {team}.'}}")
                return _ok({"team_id": team, "team_info": self.teams[team], "keys": []})
            case "/v2/team/list":
                return _page(self._teams_like(query.get("team_alias", "")), int(query.get("page_size", "10")))
            case "/v1/models":
                return _ok({"data": [{"id": name, "object": "model"} for name in self.models]})
            case "/spend/logs":
                asked = query.get("api_key")
                return _ok([row for row in self.logs if isinstance(row, dict) and row["api_key"] == asked])
            case _:
                return Told(404, {"detail": "Not Found"})

    def change(self, path: str, body: Row) -> Told:
        """Carry out a POST."""
        match path:
            case "/key/generate":
                return self._made("keys", str(body.get("token") or hashed(str(body.get("key")))), body)
            case "/team/new":
                return self._made("teams", str(body.get("team_id")), body)
            case "/key/update":
                return _updated(self.keys.get(hashed(str(body.get("key")))), body, "Key not found.")
            case "/team/update":
                return _updated(self.teams.get(str(body.get("team_id"))), body, "{'error': 'Team not found'}")
            case "/key/block" | "/key/unblock":
                return self._blocked(hashed(str(body.get("key"))), path == "/key/block")
            case "/key/delete":
                return self._deleted(body)
            case _:
                return Told(404, {"detail": "Not Found"})

    def snapshot(self) -> tuple[dict[str, Row], dict[str, Row]]:
        return copy.deepcopy((self.keys, self.teams))

    def _teams_like(self, alias: str) -> list[JsonValue]:
        """The filter finds parts of aliases too."""
        return [row for row in self.teams.values() if alias in str(row.get("team_alias") or "")]

    def _made(self, kind: str, name: str, body: Row) -> Told:
        row: Row = {
            "spend": 0.0,
            "metadata": {},
            "models": [],
            **dict.fromkeys((*NUMBERS, "budget_duration")),
        }
        if kind == "keys":
            row |= {"token": name, "aliases": {}, "blocked": None, "key_alias": None}
            row["team_id"] = body.get("team_id")
            self.keys[name] = row
        else:
            row |= {"team_id": name, "blocked": False}
            self.teams[name] = row
        told = _updated(row, body, "")
        return _ok({"token": name, "team_id": row["team_id"]}) if told.status == 200 else told

    def _blocked(self, key: str, blocked: bool) -> Told:
        if key not in self.keys:
            return _missing("Key not found.")
        self.keys[key]["blocked"] = blocked
        return _ok(self.keys[key])

    def _deleted(self, body: Row) -> Told:
        given = body.get("keys")
        named = [hashed(str(key)) for key in given] if isinstance(given, list) else []
        if not named:
            return _invalid("Value error, At least one of 'keys' or 'key_aliases' must be provided.")
        found: list[JsonValue] = [key for key in named if key in self.keys]
        if not found:
            return _missing("{'error': 'No keys found'}")
        if any(self.keys[str(key)]["aliases"] is None for key in found):
            return _error(500, "aliases\n  Input should be a valid dictionary", "internal_server_error")
        for key in found:
            self.keys.pop(str(key), None)
        return _ok({"deleted_keys": found})


def without_plaintext(body: Row) -> Row:
    """The body with each key as its hash, which means the same to the proxy."""
    return {name: _keyless(value) for name, value in body.items()}


def _keyless(value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [_keyless(item) for item in value]
    return hashed(value) if isinstance(value, str) else value


def hashed(key: str) -> str:
    return sha256(key.encode()).hexdigest() if key.startswith("sk-") else key


def _updated(row: Row | None, body: Row, missing: str) -> Told:
    """Unknown fields are ignored, and `null` for limits per model is too."""
    if row is None:
        return _missing(missing)
    for name in NUMBERS:
        value = body.get(name)
        if isinstance(value, str):
            return _invalid("Input should be a valid integer, unable to parse string as an integer")
        if name == "max_budget" and isinstance(value, int | float) and value < 0:
            return _error(
                400, f"{{'error': 'max_budget must be a non-negative number: {value}'}}", "auth_error"
            )
    row |= {name: body[name] for name in PLAIN if name in body}
    if "aliases" in body and "token" in row:
        row["aliases"] = body["aliases"]
    given = {name: body[name] for name in PER_MODEL if body.get(name) is not None}
    metadata = body["metadata"] if isinstance(body.get("metadata"), dict) else row["metadata"]
    row["metadata"] = {**(metadata if isinstance(metadata, dict) else {}), **given}
    return _ok(row)


def _page(rows: list[JsonValue], size: int) -> Told:
    pages = -(-len(rows) // size)
    return _ok({"teams": rows[:size], "total": len(rows), "page": 1, "page_size": size, "total_pages": pages})


def _ok(document: JsonValue) -> Told:
    return Told(200, copy.deepcopy(document))


def _missing(message: str) -> Told:
    return _error(404, message, "not_found_error")


def _invalid(message: str) -> Told:
    return Told(422, {"detail": [{"type": "value_error", "loc": ["body"], "msg": message}]})


def _error(status: int, message: str, kind: str) -> Told:
    return Told(status, {"error": {"message": message, "type": kind, "param": None, "code": str(status)}})
