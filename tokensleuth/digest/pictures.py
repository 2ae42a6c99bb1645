"""The charts of a digest as PNG files and as SVG pictures of a page."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tokensleuth.charts import Spec
from tokensleuth.digest.charts import LOW, chart_of, narrow, on_page
from tokensleuth.digest.facts import Digest
from tokensleuth.digest.page import ChartName, Page
from tokensleuth.digest.web_page import Picture

Draw = Callable[[Spec], bytes | None]
"""None where a chart could not be drawn: a digest goes out without it."""
DrawSvg = Callable[[Spec], str | None]


def page_pictures(digest: Digest, page: Page, draw: DrawSvg) -> dict[ChartName, Picture]:
    """For the HTML page; movers have no narrow one, since the list beside them tells the same."""
    found = {}
    for name in page.charts:
        spec = {**on_page(chart_of(digest, name)), **(LOW if name != "movers" else {})}
        wide = draw(spec)
        if wide is not None:
            found[name] = Picture(wide, draw(narrow(spec)) if name != "movers" else None)
    return found


def write_charts(digest: Digest, page: Page, folder: Path, draw: Draw) -> Mapping[ChartName, Path]:
    """`2026-W46-spend.png` and so on, with their titles; a team's with its name made safe."""
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for name in page.charts:
        png = draw(chart_of(digest, name))
        if png is not None:
            written[name] = folder / f"{file_stem(digest)}-{name}.png"
            written[name].write_bytes(png)
    return written


def file_stem(digest: Digest) -> str:
    """Of files about this digest; nothing of a team's name can leave the folder."""
    team = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in digest.team or "")
    return f"{digest.week.week}{f'-{team}' if team else ''}"
