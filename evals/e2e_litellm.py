"""Every action of the LiteLLM gateway and its undo at a real proxy, judged by calls that go through it.

    make e2e-litellm                                        # installs and starts a proxy
    LITELLM_URL=... LITELLM_MASTER_KEY=... make e2e-litellm # takes one that serves the three models below

One line an action; status 1 where any failed.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from decimal import Decimal

import httpx2
from pydantic import SecretStr

from agent.measures import BlockKey, DowngradeModel, RevokeKey, SetBudget, SetRateLimit
from evals.litellm_peer.bench import DEAR, Bench, Called, WrongError, expect, until
from evals.litellm_peer.install import PeerAbsentError, PeerBrokenError
from evals.litellm_peer.proxy import Peer, litellm_peer
from evals.unavailable import skipped
from tokensleuth.clock import seconds_since, stopwatch
from tokensleuth.gateways.http import JsonHttp
from tokensleuth.gateways.litellm import LiteLlm
from tokensleuth.gateways.port import GONE, CannotError, GatewayError

CHEAP, OTHER = "gpt-4o-mini", "claude-sonnet"
SPEND_S = 40.0
"""Spend is written 2 to 7 s late; more where the machine is busy."""
TEAM_S = 75.0
"""A proxy keeps keys and teams in memory for up to 60 s."""
STEADY = 5
"""Refusals in a row. While spend is being written, the proxy's count of it goes up and down."""


def limit(bench: Bench, measure: SetRateLimit, *, team: bool = False) -> str:
    """The limit refuses with 429, where it names a model only there, and its undo serves again."""
    holder = bench.holder()
    expect(bench.call(holder), 200)
    act = bench.carry_out(measure, holder.team_target if team else holder.target)
    until(TEAM_S, lambda: bench.call(holder).status == 429, "429")
    expect(bench.call(holder), 429, "throttling_error")
    if measure.model:
        expect(bench.call(holder, OTHER), 200)
    bench.undo(act)
    until(TEAM_S, lambda: bench.call(holder).status == 200, "service again")
    return f"429 throttling_error{' on that model only' if measure.model else ''}, then 200"


def keep_limits(bench: Bench) -> str:
    """A limit for one model leaves that of another in force, and its undo too."""
    holder = bench.holder(model_rpm_limit={OTHER: 1}, metadata={"owner": "e2e"})
    act = bench.carry_out(SetRateLimit(requests_per_minute=1, model=DEAR), holder.target)
    for model in (DEAR, OTHER):
        until(TEAM_S, lambda model=model: bench.call(holder, model).status == 429, "429")  # type: ignore[misc]
    bench.undo(act)
    expect(bench.call(holder, DEAR), 200)
    expect(bench.call(holder, OTHER), 429)
    return "429 on both models, then on the other only"


def budget(bench: Bench, *, team: bool = False) -> str:
    """Spending above the amount is refused; the least amount is a cent, some 45 calls."""
    holder = bench.holder()
    measure = SetBudget(max_usd=Decimal("0.01"), period="day")
    act = bench.carry_out(measure, holder.team_target if team else holder.target)
    expect(bench.call(holder), 200)
    for _ in range(50):
        bench.call(holder)
    until(SPEND_S, lambda: all(_over_budget(bench.call(holder)) for _ in range(STEADY)), "budget_exceeded")
    bench.undo(act)
    until(TEAM_S, lambda: bench.call(holder).status == 200, "service again")
    return "200, then 429 budget_exceeded, then 200"


def _over_budget(called: Called) -> bool:
    return (called.status, called.kind) == (429, "budget_exceeded")


def downgrade(bench: Bench) -> str:
    """The cheaper model answers and is what the spend log shows; other aliases stay."""
    holder = bench.holder(aliases={"fast": OTHER})
    dear = bench.call(holder)
    act = bench.carry_out(DowngradeModel(from_model=DEAR, to_model=CHEAP), holder.target)
    cheap = bench.call(holder)
    if cheap.group != CHEAP or not 0 < cheap.cost_usd < dear.cost_usd:
        raise WrongError(f"answered by {cheap.group} for {cheap.cost_usd} USD, before {dear.cost_usd} USD")
    _expect_group(bench.call(holder, "fast"), OTHER)
    until(SPEND_S, lambda: {DEAR, CHEAP, OTHER} <= bench.spent_on(holder), f"{CHEAP} in the spend log")
    bench.undo(act)
    _expect_group(bench.call(holder), DEAR)
    _expect_group(bench.call(holder, "fast"), OTHER)
    return f"{dear.cost_usd:.7f} to {cheap.cost_usd:.7f} USD a call, in the spend log, then back"


def _expect_group(called: Called, group: str) -> None:
    expect(called, 200)
    if called.group != group:
        raise WrongError(f"answered by {called.group}, not by {group}")


def downgrade_to_nothing(bench: Bench) -> str:
    """An alias to a model that is not served would break the key."""
    holder = bench.holder()
    try:
        bench.carry_out(DowngradeModel(from_model=DEAR, to_model="no-such-model"), holder.target)
    except CannotError:
        expect(bench.call(holder), 200)
        return "refused, nothing changed"
    raise WrongError("it was written")


def block(bench: Bench) -> str:
    holder = bench.holder()
    act = bench.carry_out(BlockKey(), holder.target)
    expect(bench.call(holder), 401, "auth_error")
    bench.undo(act)
    expect(bench.call(holder), 200)
    return "401, then 200"


def revoke(bench: Bench) -> str:
    """The second write of `carry_out` meets a 404, which is a success; the undo is refused."""
    holder = bench.holder()
    expect(bench.call(holder), 200)
    act = bench.carry_out(RevokeKey(), holder.target)
    expect(bench.call(holder), 401, "token_not_found_in_db")
    if bench.gateway.read(act.place) != GONE or bench.gateway.holder(holder.target) is not None:
        raise WrongError("the deleted key is still told")
    try:
        bench.undo(act)
    except CannotError:
        return "401, deleted twice without harm, no undo"
    raise WrongError("the undo of a deletion was not refused")


def whose(bench: Bench) -> str:
    holder = bench.holder()
    found = {bench.gateway.holder(target) for target in (holder.target, holder.team_target)}
    if found != {holder.team_id}:
        raise WrongError(f"held by {found}, not by {holder.team_id}")
    return "its team, by key and by the team's alias"


ACTIONS: dict[str, Callable[[Bench], str]] = {
    "set_rate_limit requests": lambda b: limit(b, SetRateLimit(requests_per_minute=1)),
    "set_rate_limit tokens": lambda b: limit(b, SetRateLimit(tokens_per_minute=10)),
    "set_rate_limit requests, model": lambda b: limit(b, SetRateLimit(requests_per_minute=1, model=DEAR)),
    "set_rate_limit tokens, model": lambda b: limit(b, SetRateLimit(tokens_per_minute=10, model=DEAR)),
    "set_rate_limit beside another": keep_limits,
    "set_rate_limit requests, team": lambda b: limit(b, SetRateLimit(requests_per_minute=1), team=True),
    "set_rate_limit tokens, team": lambda b: limit(b, SetRateLimit(tokens_per_minute=10), team=True),
    "set_rate_limit requests, team and model": lambda b: limit(
        b, SetRateLimit(requests_per_minute=1, model=DEAR), team=True
    ),
    "set_budget": budget,
    "set_budget, team": lambda b: budget(b, team=True),
    "downgrade_model": downgrade,
    "downgrade_model to nothing": downgrade_to_nothing,
    "block_key": block,
    "revoke_key": revoke,
    "holder": whose,
}


def run(peer: Peer) -> int:
    """The number of actions that failed."""
    headers = {"Authorization": SecretStr(f"Bearer {peer.master_key}")}
    with (
        closing(LiteLlm(peer.url, SecretStr(peer.master_key), timeout_s=30.0)) as gateway,
        closing(JsonHttp(peer.url, headers, 30.0)) as admin,
        httpx2.Client(base_url=peer.url, timeout=30.0, trust_env=False) as client,
    ):
        bench = Bench(gateway, admin, client)
        return sum(not tried(name, action, bench) for name, action in ACTIONS.items())


def tried(name: str, action: Callable[[Bench], str], bench: Bench) -> bool:
    """Carry one out and print its line."""
    started = stopwatch()
    try:
        verdict, told = "ok", action(bench)
    except (WrongError, GatewayError, httpx2.HTTPError) as error:
        verdict, told = "failed", f"{type(error).__name__}: {error}"
    print(f"{verdict:<7} {name:<40} {seconds_since(started):5.1f} s  {told}", flush=True)
    return verdict == "ok"


@contextmanager
def given_peer() -> Iterator[Peer]:
    """The proxy at LITELLM_URL, else one of our own."""
    if url := os.environ.get("LITELLM_URL"):
        yield Peer(url, os.environ.get("LITELLM_MASTER_KEY", ""))
        return
    with litellm_peer() as peer:
        yield peer


def main() -> int:
    # So that the proxy and PostgreSQL end with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with given_peer() as peer:
            failed = run(peer)
    except PeerAbsentError as absent:
        return skipped(absent)
    except PeerBrokenError as broken:
        print(f"failed: {broken}")
        return 1
    print(f"{len(ACTIONS) - failed} of {len(ACTIONS)} actions as promised")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
