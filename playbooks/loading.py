"""Which playbooks are in force: the shipped ones, and a folder's in their place or beside them."""

from collections.abc import Collection
from importlib.resources import files
from pathlib import Path

from ledger.errors import RefusedError
from playbooks.parsing import parse_playbook
from playbooks.schema import CAUSES, Playbook

ENDING = ".md"


def load_playbooks(
    folder: Path | None = None, *, facts: Collection[str] | None = None
) -> tuple[Playbook, ...]:
    """All playbooks in the order of CAUSES; those of one cause the folder's first, the shipped one last.

    A file of the folder replaces the shipped playbook of its name, or is one more playbook of its cause.
    Raises RefusedError that tells everything wrong in the folder.
    """
    shipped = [
        parse_playbook(f.read_text("utf-8"), f.name, facts=facts)
        for f in files("playbooks").iterdir()
        if f.name.endswith(ENDING)
    ]
    own = _folder_playbooks(folder, facts) if folder else []
    known = {playbook.name: playbook for playbook in (*shipped, *own)}
    return tuple(sorted(known.values(), key=_place))


def read_playbook(path: Path, *, facts: Collection[str] | None = None) -> Playbook:
    """One file of a folder; raises RefusedError with file, line, field and value."""
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise RefusedError(f"{path}:1: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise RefusedError(f"{path}:{line}: is not UTF-8 text") from None
    return parse_playbook(text.replace("\r\n", "\n"), str(path), facts=facts, origin="folder")


def playbook_files(folder: Path) -> list[Path]:
    """The files of a folder that are playbooks: all that end in .md, but for README and hidden ones."""
    if not folder.is_dir():
        raise RefusedError(f"playbooks.folder = {folder}: is no folder")
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise RefusedError(f"playbooks.folder = {folder}: cannot be read: {error.strerror}") from None
    return [f for f in found if f.suffix == ENDING and f.stem.lower() != "readme" and f.name[0] != "."]


def _folder_playbooks(folder: Path, facts: Collection[str] | None) -> list[Playbook]:
    found: list[Playbook] = []
    wrong: list[str] = []
    for path in playbook_files(folder):
        try:
            found.append(read_playbook(path, facts=facts))
        except RefusedError as error:
            wrong.append(str(error))
    if wrong:
        raise RefusedError("\n".join(wrong))
    return found


def _place(playbook: Playbook) -> tuple[int, bool, str]:
    return CAUSES.index(playbook.cause), playbook.origin == "shipped", playbook.name
