"""Buttons in Slack and forms in the web inbox go through the same door, and tell what they changed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from tests.slack_desk import INCIDENT, Desk, desk_at, record
from tests.web_site import INCIDENT as WEB_INCIDENT
from tests.web_site import browser, casebook_in, parts_over, press, with_incident
from tokensleuth.casebook import Casebook, JsonObject
from tokensleuth.casebook.tunings import Tuning, tunings_in_force

LEAK = record().incident


@pytest.fixture
def desk(tmp_path: Path, casebook: Casebook) -> Iterator[Desk]:
    """The incident it has is a leak; here it becomes a retry storm."""
    with desk_at(tmp_path, casebook) as made:
        culprits = [c | {"cause": "retry_storm"} for c in cast(Sequence[JsonObject], LEAK["culprits"])]
        storm = {**LEAK, "cause": "retry_storm", "culprits": culprits}
        made.casebook.save(replace(record(), incident=storm))
        yield made


def test_a_leak_is_never_quieted(tmp_path: Path, casebook: Casebook) -> None:
    with desk_at(tmp_path, casebook) as desk:
        desk.outcome(desk.click("not-an-issue", INCIDENT))
        assert not in_force(desk)
        assert "a possible key leak always alerts" in desk.whispers()[-1][1]


def in_force(desk: Desk) -> list[Tuning]:
    with desk.casebook.reading() as connection:
        return list(tunings_in_force(connection, desk.clock()))


def test_a_click_raises_the_threshold_and_tells_the_person_how_to_undo_it(desk: Desk) -> None:
    assert desk.outcome(desk.click("not-an-issue", INCIDENT)) == ("done", "not-an-issue")
    (tuning,) = in_force(desk)
    ((user, text),) = desk.whispers()
    assert user == "UADA"
    assert "no alert of rises below $" in text
    assert f"tokensleuth tunings undo {tuning.id}" in text
    assert tuning.given_by == "ada"


def test_a_click_of_somebody_else_counts_and_raises_nothing(desk: Desk) -> None:
    assert desk.outcome(desk.click("not-an-issue", INCIDENT, user="UEVE"))[0] == "done"
    assert not in_force(desk)
    ((user, text),) = desk.whispers()
    assert (user, "The threshold stays as it is" in text) == ("UEVE", True)


def test_a_second_click_that_it_is_real_restores(desk: Desk) -> None:
    desk.outcome(desk.click("not-an-issue", INCIDENT))
    desk.outcome(desk.click("real", INCIDENT, user="UBOB"))
    assert not in_force(desk)
    assert "Ended, so that it alerts again" in desk.whispers()[-1][1]


def test_a_form_of_the_web_inbox_raises_it_too(tmp_path: Path) -> None:
    with casebook_in(tmp_path) as casebook:
        with_incident(casebook)
        parts = parts_over(casebook)
        (told,) = press(
            browser(parts, "alice"), f"/incidents/{WEB_INCIDENT}/feedback", verdict="not-an-issue"
        )
        with casebook.reading() as connection:
            (tuning,) = tunings_in_force(connection, parts.clock())
    assert told.startswith("Alice said it is not an issue. ")
    assert told.endswith(f"Undo: tokensleuth tunings undo {tuning.id}.")
    assert tuning.given_by == "alice"
