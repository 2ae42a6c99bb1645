"""Who moved the spend, in sentences: from what to what, by which effects, and where most."""

from ledger.scope import Scope
from tokensleuth.digest.amounts import cents_of
from tokensleuth.digest.facts import Digest, Mover
from tokensleuth.digest.page import Bullets, Figure, Line, Name, Section, Strong, listed
from tokensleuth.digest.saying import cents_text, counted, effect_text, scope_line


def movers_section(digest: Digest) -> Section | None:
    movers = digest.movers
    if not movers.shown:
        return None
    lines = [_mover(mover) for mover in movers.shown]
    if movers.others:
        noun = "team" if digest.team is None else "key"
        others = counted(movers.others, f"other {noun}")
        together = " together" if movers.others > 1 else ""
        lines.append((f"{others}: {cents_text(movers.others_cents, signed=True)}{together}.",))
    told = ", ".join(f"{_last_name(m)} {cents_text(m.change_cents, signed=True)}" for m in movers.shown)
    chart = Figure("movers", f"From last week to this: {told}.", is_extra=True)
    return Section("Top movers", (chart, Bullets(tuple(lines))), rank=3)


def _last_name(mover: Mover) -> str:
    return mover.scope.items[-1][1]


def _mover(mover: Mover) -> Line:
    amounts = f"{cents_text(mover.last_cents)} to {cents_text(mover.now_cents)}"
    line: Line = (
        Name(_last_name(mover)),
        " ",
        Strong(cents_text(mover.change_cents, signed=True)),
        f" ({amounts})",
    )
    if mover.was:
        line = (*line, ", known as ", Name(mover.was), " before")
    if mover.effects:
        line = (*line, ": ", *listed([(effect_text(e),) for e in mover.effects]))
    if mover.carrier is not None:
        others = tuple(item for item in mover.carrier.items if item not in mover.scope.items)
        line = (*line, "; most at ", *scope_line(Scope(others)), f" ({_carried(mover)})")
    return (*line, ".")


def _carried(mover: Mover) -> str:
    """What one key and model changed by; where that is more than the whole, what took it back."""
    carried = cents_of(mover.carrier_pico)
    told = cents_text(carried, signed=True)
    if abs(carried) <= abs(mover.change_cents):
        return told
    return f"{told}, all else {cents_text(mover.change_cents - carried, signed=True)}"
