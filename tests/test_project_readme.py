import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tokensleuth.cli import app

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
MAKEFILE = (Path(__file__).parent.parent / "Makefile").read_text("utf-8")
COMMANDS = re.findall(r"^\.venv/bin/tokensleuth (.+?)(?:\s+#.*)?$", README, re.MULTILINE)
TABLED = re.findall(r"`([a-z-]+)(?: [^`]*)?`", "\n".join(re.findall(r"^\| (`.+?) \|", README, re.MULTILINE)))


def test_the_readme_opens_with_the_two_commands_that_do_everything() -> None:
    first = README.split("```sh\n")[1].split("```")[0]
    assert [line.split("#")[0].strip() for line in first.strip().splitlines()] == ["make demo", "make test"]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_readme_has_options_the_program_knows(line: str) -> None:
    command, *arguments = shlex.split(line)
    shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert all(option in shown.stdout for option in arguments if option.startswith("--"))


def test_the_readme_tells_every_command_and_no_other() -> None:
    registered = {c.name or getattr(c.callback, "__name__", "") for c in app.registered_commands}
    groups = {group.name for group in app.registered_groups}
    assert set(TABLED) == registered | groups


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`?make ([a-z0-9-]+)", README))))
def test_a_make_target_of_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("link", re.findall(r"\]\(\s*([^)\s]+)\)", README))
def test_a_file_the_readme_points_to_exists(link: str) -> None:
    assert link.startswith("https://") or (Path(__file__).parent.parent / link).exists()
