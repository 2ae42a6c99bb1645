"""Calls with virtual keys through the fake proxy: what refuses them, which model answers, what they cost.

Counters never run out, where a real proxy forgets them after a minute; limits are refused as soon as reached.
"""

from collections import Counter

from pydantic import JsonValue

from evals.fake_litellm_state import Proxy, Row, Told, hashed

COST_USD = {"gpt-4o": 0.000225, "gpt-4o-mini": 0.0000135, "claude-sonnet": 0.00033}
TOKENS = 30
STEPS = 2
"""So far are aliases followed."""
Used = Counter[tuple[str, str, str]]
"""By owner, model or empty for all, and `tpm_limit` or `rpm_limit`."""


def call(proxy: Proxy, used: Used, secret: str, model: str) -> Told:
    """One chat completion."""
    key = hashed(secret)
    row = proxy.keys.get(key)
    if row is None:
        return _refused(401, "token_not_found_in_db", "Invalid proxy server token passed")
    if row["blocked"]:
        return _refused(401, "auth_error", "Key is blocked")
    group = _answering(row, model)
    if group not in proxy.models:
        return _refused(400, "invalid_request_error", f"Invalid model name passed in model={group}")
    team = proxy.teams.get(str(row["team_id"]), {})
    for owner in (row, team):
        if _reaches(owner.get("max_budget"), _number(owner.get("spend"))):
            return _refused(429, "budget_exceeded", "Budget has been exceeded!")
        if _limited(owner, used, _name(owner), group):
            return _refused(429, "throttling_error", "Rate limit exceeded", ("retry-after", "60"))
    return _served(proxy, used, (row, team), group)


def serve_all(proxy: Proxy, secret: str, model: str) -> Told:
    """As if no limit, alias, block or deletion were written."""
    anyone: Row = {"token": hashed(secret)}
    return _served(proxy, Counter(), (anyone, {}), model)


def _answering(row: Row, model: str) -> str:
    aliases = row["aliases"] if isinstance(row["aliases"], dict) else {}
    for _ in range(STEPS):
        model = str(aliases.get(model, model))
    return model


def _limited(owner: Row, used: Used, name: str, group: str) -> bool:
    metadata = owner.get("metadata")
    per_model = metadata if isinstance(metadata, dict) else {}
    for unit in ("tpm_limit", "rpm_limit"):
        limits = per_model.get(f"model_{unit}")
        of_model = limits.get(group) if isinstance(limits, dict) else None
        if _reaches(owner.get(unit), used[name, "", unit]) or _reaches(of_model, used[name, group, unit]):
            return True
    return False


def _served(proxy: Proxy, used: Used, owners: tuple[Row, Row], group: str) -> Told:
    cost = COST_USD.get(group, 0.0)
    for owner in owners:
        owner["spend"] = _number(owner.get("spend")) + cost
        for model in ("", group):
            used[_name(owner), model, "tpm_limit"] += TOKENS
            used[_name(owner), model, "rpm_limit"] += 1
    proxy.logs.append({"api_key": _name(owners[0]), "model_group": group, "spend": cost})
    document: JsonValue = {"choices": [{"message": {"role": "assistant", "content": f"from {group}"}}]}
    return Told(200, document, (("x-litellm-model-group", group), ("x-litellm-response-cost", str(cost))))


def _name(owner: Row) -> str:
    return str(owner.get("token") or owner.get("team_id"))


def _reaches(limit: JsonValue, amount: float) -> bool:
    return isinstance(limit, int | float) and amount >= limit


def _number(value: JsonValue) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _refused(status: int, kind: str, message: str, *headers: tuple[str, str]) -> Told:
    error: JsonValue = {"message": message, "type": kind, "param": None, "code": str(status)}
    return Told(status, {"error": error}, headers)
