"""evals/RESULTS.md: a part for each command that measures, written by it and left alone by the others."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

RESULTS = Path(__file__).parent / "RESULTS.md"
TITLE = """# Measured figures

Each part below is written by the command it names, and left alone by the others.
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the results table."""

    name: str
    value: float
    unit: str
    target: str = ""
    met: bool | None = None
    """None where there is no target."""


@dataclass(frozen=True, slots=True)
class Section:
    """The figures one command made."""

    title: str
    command: str
    figures: tuple[Figure, ...] = ()
    note: str = ""


def write_part(file: Path, part: str, command: str, body: str) -> None:
    """Put what a command measured into its part of the file; the first time, after the other parts."""
    before = file.read_text(encoding="utf-8") if file.is_file() else TITLE
    facts = "\n".join(f"- {name}: {value}" for name, value in machine_facts().items())
    whole = f"Made by `{command}` on\n\n{facts}\n\n{body.strip()}"
    file.write_text(replace_part(before, part, whole), encoding="utf-8")


def replace_part(text: str, part: str, body: str) -> str:
    """The text with this body between the marks of the part, which are added where they are missing."""
    begin, end = f"<!-- begin {part} -->", f"<!-- end {part} -->"
    marked = f"{begin}\n{body}\n{end}"
    if begin not in text:
        return f"{text.rstrip()}\n\n{marked}\n"
    head, _, rest = text.partition(begin)
    if end not in rest:
        raise ValueError(f"`{begin}` has no `{end}` after it; put it where the part ends")
    return head + marked + rest.partition(end)[2]


def render_sections(sections: Sequence[Section]) -> str:
    return "\n\n".join(_section(section) for section in sections)


def machine_facts() -> dict[str, str]:
    """What the figures depend on."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} logical cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": platform.platform(),
        "Python": platform.python_version(),
        "DuckDB": duckdb.__version__,
    }


def _section(section: Section) -> str:
    lines = [f"## {section.title}", "", f"`{section.command}`"]
    if section.figures:
        lines += ["", "| figure | measured | target | met |", "|---|---|---|---|"]
        lines += [_row(figure) for figure in section.figures]
    if section.note:
        lines += ["", section.note]
    return "\n".join(lines)


def _row(figure: Figure) -> str:
    met = {True: "yes", False: "no", None: ""}[figure.met]
    return (
        f"| {figure.name} | {_number(figure.value)} {figure.unit}".rstrip() + f" | {figure.target} | {met} |"
    )


def _number(value: float) -> str:
    """Three significant digits below a thousand, whole and grouped above."""
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
