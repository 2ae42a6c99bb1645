"""Settings of detection changed for one run, as `--setting key=value` writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import get_type_hints

from pydantic import ValidationError

from detectors.settings import DetectorSettings
from ledger.errors import RefusedError
from tokensleuth.settings import Settings

_TYPE_WORDS: Mapping[object, str] = {
    int: "a whole number (int)",
    float: "a number (float)",
    bool: "true or false (bool)",
    str: "text (str)",
}


def changed_detection(present: DetectorSettings, changes: Sequence[str]) -> DetectorSettings:
    """`present` with each `key=value` applied, checked like the settings file; raises RefusedError."""
    values = asdict(present) | _parsed(changes)
    try:
        return Settings.model_validate({"detection": values}).detection
    except ValidationError as error:
        raise RefusedError("\n".join(_told(present, error))) from None


def differences(before: DetectorSettings, after: DetectorSettings) -> dict[str, dict[str, object]]:
    """`{"from": ..., "to": ...}` of each setting that is not the same, in the order of the settings."""
    old, new = asdict(before), asdict(after)
    return {name: {"from": old[name], "to": new[name]} for name in old if old[name] != new[name]}


def _parsed(changes: Sequence[str]) -> dict[str, str]:
    known = [field.name for field in fields(DetectorSettings)]
    values: dict[str, str] = {}
    for change in changes:
        written, separator, value = change.partition("=")
        name = written.strip().removeprefix("detection.")
        if not separator or not value.strip():
            raise RefusedError(f"`{change}` is not of the form key=value; write for instance fire_score=14")
        if name not in known:
            raise RefusedError(f"`{name}` is no setting of detection; those are {', '.join(known)}")
        if name in values:
            raise RefusedError(f"{name} is given twice, {values[name]} and {value.strip()}; give it once")
        values[name] = value.strip()
    return values


def _told(present: DetectorSettings, error: ValidationError) -> list[str]:
    """One line a value that is not of its setting's type."""
    types = get_type_hints(DetectorSettings)
    lines = []
    for wrong in error.errors():
        name = str(wrong["loc"][1])
        kind = _TYPE_WORDS.get(types[name], str(types[name]))
        lines.append(f"{name} = {wrong['input']!r}: must be {kind}, such as {getattr(present, name)}")
    return lines
