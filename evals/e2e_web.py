"""`make e2e-web`: the served inbox in a real Chromium without JavaScript, by two people and a visitor."""

import argparse
import asyncio
import hashlib
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from evals.unavailable import skipped

CHROMIUM: Final = Path("/usr/bin/chromium")
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
_PHONE, _DESKTOP = 390, 1280
_LEAK = "key-mobile-prod"
"""Part of the name of the key that leaks in the demo."""

Scheme = Literal["light", "dark"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a web token."""

    name: str
    token: str = field(repr=False)

    @property
    def settings(self) -> str:
        digest = hashlib.sha256(self.token.encode()).hexdigest()
        return (
            f'[[approver]]\nname = "{self.name}"\nweb_token_sha256 = "{digest}"\n'
            'may = ["limit", "block", "revoke", "tell"]\n'
        )


@dataclass(slots=True)
class Trial:
    """One run: where the inbox is, who uses it, what held."""

    browser: Browser
    url: str
    alice: Person
    bob: Person
    shots: Path | None
    held: dict[str, bool] = field(default_factory=dict)

    def check(self, claim: str, holds: bool) -> None:
        self.held[claim] = holds
        print(f"{'ok   ' if holds else 'FAIL '} {claim}", flush=True)

    @asynccontextmanager
    async def page(
        self, person: Person | None = None, *, width: int = _DESKTOP, scheme: Scheme = "light"
    ) -> AsyncIterator[Page]:
        """A fresh browser profile without JavaScript, logged in through the form."""
        context = await self.browser.new_context(
            java_script_enabled=False,
            viewport={"width": width, "height": 844 if width == _PHONE else 900},
            color_scheme=scheme,
            device_scale_factor=1,
        )
        page = await context.new_page()
        if person is not None:
            await page.goto(self.url)
            await page.get_by_label("Your token").fill(person.token)
            await page.get_by_role("button", name="Log in").click()
        try:
            yield page
        finally:
            await _closed(context)

    async def told(self, page: Page) -> str:
        """What the page says became of the last form."""
        return await page.get_by_role("status").inner_text()


async def _closed(context: BrowserContext) -> None:
    await context.close()


async def logging_in(trial: Trial) -> None:
    async with trial.page() as page:
        await page.goto(f"{trial.url}/incidents")
        trial.check("who is not logged in is asked to", page.url.startswith(f"{trial.url}/login"))
        await page.get_by_label("Your token").fill("wrong")
        await page.get_by_role("button", name="Log in").click()
        trial.check("a wrong token is refused", "Nobody has this token" in await page.content())
        await page.get_by_label("Your token").fill(trial.alice.token)
        await page.get_by_role("button", name="Log in").click()
        trial.check("after the login the page asked for is shown", page.url == f"{trial.url}/incidents")


async def looking(trial: Trial) -> None:
    """The incident of the leaked key: its chart, and from a number to the rows behind it."""
    async with trial.page(trial.alice) as page:
        await page.goto(f"{trial.url}/incidents")
        await page.get_by_role("row").filter(has_text=_LEAK).get_by_role("link").click()
        chart = await page.request.get(f"{page.url}/chart.png")
        png = await chart.body()
        is_png = chart.ok and png.startswith(b"\x89PNG")
        trial.check(
            "an incident has its chart", is_png and await page.locator("figure.chart img").is_visible()
        )
        await page.locator(".tiles a").first.click()
        trial.check("a number leads to its evidence", "/evidence/ev_" in page.url)
        trial.check("evidence shows its rows", await page.locator("table.list tbody tr").count() > 0)


async def deciding(trial: Trial) -> None:
    """A final act takes a page of its own and two people; then the service carries it out."""
    async with trial.page(trial.alice) as alice, trial.page(trial.bob) as bob:
        revoke = alice.locator("article.proposal").filter(has_text="Revoke key")
        await revoke.get_by_role("link", name="Approve").first.click()
        trial.check("what is final is asked once more", "/confirm" in alice.url)
        await alice.get_by_role("button", name="Yes, approve for good").click()
        trial.check("one approval of two waits", "one more must" in await trial.told(alice))
        proposal_id = alice.url.partition("#")[2]
        await bob.goto(f"{trial.url}/proposals/{proposal_id}/confirm")
        await bob.get_by_role("button", name="Yes, approve for good").click()
        trial.check("the second person approves it", "bob approved it" in (await trial.told(bob)).lower())
        trial.check("it is carried out and shown", await _shows(bob, f"#{proposal_id} .history", "rehearsed"))


async def rejecting(trial: Trial) -> None:
    async with trial.page(trial.bob) as page:
        limit = page.locator("article.proposal").filter(has_text="Set rate limit").first
        await limit.get_by_placeholder("Reason").fill("the <b>team</b> is on it")
        await limit.get_by_role("button", name="Reject").click()
        trial.check("a rejection is told", "bob rejected it" in (await trial.told(page)).lower())
        shown = await page.locator(".history").filter(has_text="the <b>team</b> is on it").count()
        trial.check("its reason is shown as it was typed", shown == 1)


async def racing(trial: Trial) -> None:
    """Two browsers press approve at the same moment."""
    async with trial.page(trial.alice) as alice, trial.page(trial.bob) as bob:
        pressed = []
        for page in (alice, bob):
            owner = page.locator("article.proposal").filter(has_text="Notify owner").first
            pressed.append(owner.get_by_role("button", name="Approve").click())
        await asyncio.gather(*pressed)
        told = sorted([(await trial.told(page)).lower() for page in (alice, bob)], key=len)
        won = re.fullmatch(r"(alice|bob) approved it\.", told[0])
        trial.check("of two who race one decides", won is not None)
        lost = won is not None and f"nothing was done: {won[1]} approved it already" in told[1]
        trial.check("the other is told who did", lost)


async def answering(trial: Trial) -> None:
    """Feedback, the spend explorer and the trail."""
    async with trial.page(trial.alice) as page:
        await page.goto(f"{trial.url}/incidents")
        await page.get_by_role("row").filter(has_text=_LEAK).get_by_role("link").click()
        await page.get_by_label("Expected: keep").select_option("3")
        await page.get_by_role("button", name="Expected").click()
        trial.check("feedback is kept", "alice expected it: quiet until" in (await trial.told(page)).lower())
        await page.get_by_role("link", name="Spend").click()
        await page.locator("select[name=by]").select_option("model")
        await page.get_by_role("button", name="Show").click()
        bars = await page.locator("figure.days rect").count()
        total = await page.locator("tfoot td").first.inner_text()
        trial.check("the spend explorer adds up models by day", bars > 14 and total.startswith("$"))
        await page.get_by_role("link", name="Audit").click()
        rows = await page.locator("tbody").inner_text()
        trail = all(word in rows for word in ("approved", "rejected", "refused", "said expected"))
        trial.check("the trail has what was decided, refused and said", trail)


async def fitting(trial: Trial) -> None:
    """Every page at phone and desktop width, light and dark: none scrolls sideways."""
    for width in (_PHONE, _DESKTOP):
        for scheme in ("light", "dark"):
            async with trial.page(trial.alice, width=width, scheme=scheme) as page:
                await _pictures(trial, page, f"{width}-{scheme}")
    if trial.shots is not None:
        async with trial.page(width=_PHONE) as page:
            await page.goto(trial.url)
            await page.screenshot(path=trial.shots / "login-390-light.png", full_page=True)


async def _pictures(trial: Trial, page: Page, name: str) -> None:
    viewport = page.viewport_size
    await page.goto(f"{trial.url}/incidents")
    row = page.get_by_role("row").filter(has_text=_LEAK)
    incident = await row.get_by_role("link").get_attribute("href") or ""
    await page.goto(trial.url + incident)
    evidence = await page.locator(".tiles a").first.get_attribute("href") or ""
    confirm = await page.goto(trial.url) and page.get_by_role("link", name="Approve")
    ask = await confirm.first.get_attribute("href") if confirm and await confirm.count() else "/"
    paths = {
        "inbox": "/", "incidents": "/incidents", "incident": incident, "evidence": evidence,
        "spend": "/spend", "spend-keys": "/spend?by=key_id&where=team=mobile", "audit": "/audit",
        "confirm": ask or "/",
    }  # fmt: skip
    wide = []
    for label, path in paths.items():
        await page.goto(trial.url + path)
        if await page.evaluate("document.documentElement.scrollWidth") > (viewport or {"width": 0})["width"]:
            wide.append(label)
        if trial.shots is not None:
            await page.screenshot(path=trial.shots / f"{label}-{name}.png", full_page=True)
    trial.check(f"no page scrolls sideways at {name}{': ' + ', '.join(wide) if wide else ''}", not wide)


async def _shows(page: Page, place: str, text: str) -> bool:
    """Load again until it does, for half a minute at most."""
    for _ in range(30):
        if text in await page.locator(place).inner_text():
            return True
        await asyncio.sleep(1)
        await page.reload()
    return False


async def run(url: str, alice: Person, bob: Person, shots: Path | None) -> bool:
    """Everything in order; whether all of it held."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
        trial = Trial(browser, url, alice, bob, shots)
        for act in (logging_in, looking, fitting, deciding, rejecting, racing, answering):
            await act(trial)
        if shots is not None:
            trial.shots = _made(shots / "after")
            await fitting(trial)
        await browser.close()
    return all(trial.held.values())


@contextmanager
def served_demo(people: tuple[Person, ...]) -> Iterator[str]:
    """The demo's incidents under `tokensleuth serve` in dry run; gives the address."""
    program = Path(sys.executable).with_name("tokensleuth")
    with tempfile.TemporaryDirectory(prefix="tokensleuth-e2e-web-") as name:
        home = Path(name)
        subprocess.run([program, "demo", "--dir", home], check=True, stdout=subprocess.DEVNULL)
        settings = home / "tokensleuth.toml"
        settings.write_text("\n".join(person.settings for person in people), "utf-8")
        given = ["--port", "0", "--config", str(settings), "--ledger", str(home / "ledger.duckdb")]
        with subprocess.Popen([program, "serve", *given], stderr=subprocess.PIPE, text=True) as service:
            try:
                yield _address_of(service)
            finally:
                service.terminate()


def _address_of(service: "subprocess.Popen[str]") -> str:
    said = ""
    for line in service.stderr or ():
        said += line
        if found := _ADDRESS.search(line):
            return found[0]
    raise RuntimeError(f"the service ended before it said where it serves:\n{said}")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def main() -> int:
    """0 where everything held, and where there is no Chromium to try it in."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shots", type=Path, help="keep pictures of every page in this folder")
    shots = parser.parse_args().shots
    if not CHROMIUM.exists():
        return skipped(f"{CHROMIUM} is not installed; install Debian's package chromium")
    alice, bob = (Person(name, secrets.token_urlsafe(32)) for name in ("alice", "bob"))
    with served_demo((alice, bob)) as url:
        held = asyncio.run(run(url, alice, bob, _made(shots) if shots else None))
    print("the inbox works" if held else "the inbox does not work")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
