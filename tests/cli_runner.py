"""Runs commands of the program in this process and reads what they print."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from tokensleuth.cli import app

CONTRACT = Path(__file__).parent.parent / "docs" / "contract"


@dataclass(frozen=True, slots=True)
class Ran:
    exit_code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, object]:
        return dict(json.loads(self.stdout))


def run(*arguments: str | Path) -> Ran:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "100"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


def run_json(*arguments: str | Path) -> Ran:
    return run(*arguments, "--json")


def contract_errors(name: str, document: Mapping[str, object]) -> Iterator[str]:
    schema = json.loads((CONTRACT / f"{name}.schema.json").read_text("utf-8"))
    for error in Draft202012Validator(schema).iter_errors(document):
        yield f"{error.json_path}: {error.message[:200]}"
