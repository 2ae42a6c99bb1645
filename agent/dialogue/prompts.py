"""The texts the model is given: files beside this package, so that they are read and changed as texts."""

from functools import cache
from importlib.resources import files


@cache
def prompt(name: str) -> str:
    """The text of `agent/prompts/<name>.md`."""
    return files("agent").joinpath("prompts", f"{name}.md").read_text("utf-8").strip()
