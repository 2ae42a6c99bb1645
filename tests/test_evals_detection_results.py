from pathlib import Path

import pytest

from evals.results import replace_part, write_part


def test_each_command_replaces_its_own_part_of_the_results(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    for part, body in (("bench", "old speed"), ("bench-detect", "tables"), ("bench", "new speed")):
        write_part(file, part, f"make {part}", body)
    text = file.read_text()
    assert "old speed" not in text
    assert text.index("new speed") < text.index("tables")
    assert text.count("Made by `make bench`") == text.count("# Measured figures") == 1
    assert "- DuckDB: " in text


def test_text_around_the_parts_is_kept() -> None:
    text = replace_part("title\n\n<!-- begin a -->\nold\n<!-- end a -->\n\nremark\n", "a", "new")
    assert text == "title\n\n<!-- begin a -->\nnew\n<!-- end a -->\n\nremark\n"


def test_a_part_without_its_end_is_refused_rather_than_cut() -> None:
    with pytest.raises(ValueError, match="no `<!-- end a -->` after it"):
        replace_part("<!-- begin a -->\nold\n", "a", "new")
