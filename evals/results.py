"""Renders the figures of `python -m evals.bench` as evals/RESULTS.md; pure but for the machine's facts."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb


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


def render(sections: Sequence[Section], machine: Mapping[str, str], command: str) -> str:
    """The whole of RESULTS.md."""
    facts = "\n".join(f"- {name}: {value}" for name, value in machine.items())
    parts = [
        "# Measured figures",
        f"Made by `{command}`; each run writes this file anew, and evals/out/bench.json beside it.",
        facts,
        *(_section(section) for section in sections),
    ]
    return "\n\n".join(parts) + "\n"


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
