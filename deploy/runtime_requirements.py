"""Prints the part of requirements.lock that runs the service, hashes included; the lock holds the tests' too.

Run as `python3 deploy/runtime_requirements.py [FOLDER]`; FOLDER holds pyproject.toml and requirements.lock.
"""

import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

EXTRAS = ("s3",)
"""The extras that the image has on board."""

_PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_WANTED_BY = re.compile(r"^    #(?: via)? {1,3}([a-z0-9][a-z0-9._-]*)$", re.MULTILINE)


def main(folder: Path) -> int:
    wanted = direct_requirements((folder / "pyproject.toml").read_text("utf-8"))
    blocks = pinned_blocks((folder / "requirements.lock").read_text("utf-8"))
    if missing := sorted(wanted - blocks.keys()):
        sys.stderr.write(f"requirements.lock lacks {', '.join(missing)}: run make lock\n")
        return 1
    sys.stdout.write("".join(blocks[name] for name in sorted(reached(wanted, blocks))))
    return 0


def direct_requirements(pyproject: str) -> set[str]:
    """The names that the project itself and its shipped extras ask for."""
    project = tomllib.loads(pyproject)["project"]
    lines: Sequence[str] = [
        *project["dependencies"],
        *(line for extra in EXTRAS for line in project["optional-dependencies"][extra]),
    ]
    return {_canonical(line) for line in lines}


def _canonical(requirement: str) -> str:
    found = _NAME.match(requirement)
    if found is None:
        raise ValueError(f"`{requirement}` starts with no package name")
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def pinned_blocks(lock: str) -> Mapping[str, str]:
    """Each package's lines: its pins (one for each range of Pythons), their hashes, and who wants it."""
    starts = [(found[1], found.start()) for found in _PINNED.finditer(lock)]
    ends = [start for _, start in starts[1:]] + [len(lock)]
    blocks: dict[str, str] = {}
    for (name, start), end in zip(starts, ends, strict=True):
        blocks[name] = blocks.get(name, "") + lock[start:end]
    return blocks


def reached(wanted: set[str], blocks: Mapping[str, str]) -> set[str]:
    """All that is wanted and what that wants in turn, by the `via` notes of the lock."""
    parents = {name: set(_WANTED_BY.findall(block)) for name, block in blocks.items()}
    found: set[str] = set()
    newly = set(wanted)
    while newly:
        found |= newly
        newly = {name for name, by in parents.items() if by & found} - found
    return found


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
