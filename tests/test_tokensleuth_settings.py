import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from detectors.settings import DetectorSettings
from ledger.errors import RefusedError
from tokensleuth.settings import FocusTags, Proposals, Settings
from tokensleuth.settings_reading import read_settings

EXAMPLE = Path(__file__).parent.parent / "tokensleuth.example.toml"


def settings_file(folder: Path, text: str) -> Path:
    path = folder / "tokensleuth.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_example_file_is_the_defaults() -> None:
    assert read_settings(EXAMPLE) == Settings()


def test_the_example_file_shows_every_setting() -> None:
    shown = tomllib.loads(EXAMPLE.read_text("utf-8"))
    assert set(shown["detection"]) == {field.name for field in fields(DetectorSettings)}
    assert set(shown["proposals"]) == set(Proposals.model_fields)
    assert set(shown["focus_tags"]) == set(FocusTags.model_fields)


def test_the_commented_examples_are_valid_settings(tmp_path: Path) -> None:
    lines = EXAMPLE.read_text("utf-8").splitlines()
    start = lines.index("# [[owner]]")
    tables = [line.removeprefix("# ") for line in lines[start:] if "=" in line or line.startswith("# [[")]
    settings = read_settings(settings_file(tmp_path, "\n".join(tables)))
    assert (len(settings.owner), len(settings.model_alias), len(settings.price_override)) == (2, 1, 2)


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_settings(None) == Settings()


def test_a_file_in_the_current_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings_file(tmp_path, "[proposals]\nexpire_hours = 2.0\n")
    monkeypatch.chdir(tmp_path)
    assert read_settings(None).proposals.expire_hours == 2.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[detection]\nmin_us = 3", "detection.min_us: is no setting"),
        ("[detection]\nmin_usd = 'much'", "detection.min_usd = 'much'"),
        ("[proposals]\nexpire_hours = -1", "proposals.expire_hours = -1"),
        ("[[owner]]\nproject = 'x'", "owner.0.team: field required"),
        ("[detection]\ntrees = 0", "detection.trees = 0: must be from 1 to 10,000"),
        ("[detection]\nmin_usd = nan", "detection.min_usd = nan: must be from 0"),
        ("[detection]\nkeep_score = 99", "tokensleuth.toml: keep_score 99.0 must lie"),
        (
            "[detection]\nhistory_days = 5\nmin_days = 6",
            "detection.history_days = 5: must be at least min_days",
        ),
        ("not toml", "not TOML"),
    ],
)
def test_a_wrong_setting_is_told_with_its_place_and_value(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(RefusedError, match=told.replace("[", r"\[").replace(".", r"\.")):
        read_settings(settings_file(tmp_path, text))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="cannot be read: No such file"):
        read_settings(tmp_path / "none.toml")


def test_the_casebook_lies_beside_the_ledger_by_default(tmp_path: Path) -> None:
    store = Settings().store.model_copy(update={"ledger": tmp_path / "l.duckdb"})
    assert store.casebook_url == f"sqlite:///{tmp_path}/l.casebook.sqlite"
