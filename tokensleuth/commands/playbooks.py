"""`tokensleuth playbooks`: which playbooks are in force, and whether a file is a right one."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from agent.signals import FACTS
from playbooks import CAUSES, Playbook, load_playbooks, read_playbook
from tokensleuth.app import App
from tokensleuth.output import Outcome
from tokensleuth.terminal.cells import add_row, empty_table, lines_of
from tokensleuth.terminal.text import counted

HEADER = ("!name, from", "!cause, verdict", "!actions", "!tell", "!>rules")


def run(app: App, *, check: Path | None) -> Outcome:
    """List, or check one file; raises RefusedError that tells everything wrong with it."""
    return check_file(check) if check else list_playbooks(app.settings.playbooks.folder)


def list_playbooks(folder: Path | None) -> Outcome:
    """Those in force, by cause; where a cause has several, the one that fits best stands for it."""
    found = load_playbooks(folder, facts=FACTS)
    document = {"folder": str(folder) if folder else None, "items": [_item(playbook) for playbook in found]}
    return Outcome(document, [_table(found)])


def check_file(path: Path) -> Outcome:
    """OK with what it would do, and how many of its thresholds do not say where they come from."""
    playbook = read_playbook(path, facts=FACTS)
    missing = sum(not rule.source for rule in playbook.rules)
    does = "replaces the shipped one" if playbook.name in CAUSES else f"is one more for {playbook.cause}"
    told = f"OK: {playbook.name} {does}, with {counted(len(playbook.rules), 'rule')}"
    sourceless = f"; {missing} without a source" if missing else ""
    document = {"file": str(path), "ok": True, "without_source": missing, "playbook": _item(playbook)}
    return Outcome(document, [Text(f"{told}{sourceless}.")])


def _item(playbook: Playbook) -> dict[str, object]:
    watch = playbook.verify_when
    return {
        "name": playbook.name,
        "cause": playbook.cause,
        "verdict": playbook.verdict,
        "title": playbook.title,
        "actions": list(playbook.actions),
        "tell": list(playbook.tell),
        "rules": len(playbook.rules),
        "verify_when": watch.model_dump() if watch else None,
        "from": playbook.origin,
        "replaces": playbook.origin == "folder" and playbook.name in CAUSES,
    }


def _table(playbooks: Sequence[Playbook]) -> Table:
    table = empty_table(*HEADER, leading=1)
    for p in playbooks:
        actions, told = (lines_of(*names) if names else "-" for names in (p.actions, p.tell))
        add_row(table, lines_of(p.name, p.origin), lines_of(p.cause, p.verdict), actions, told, len(p.rules))
    return table
