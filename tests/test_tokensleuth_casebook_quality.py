"""How good alerts were, by what people said of them."""

from ledger.window import Window
from tests.decision_builders import told_in_slack
from tests.incident_documents import NOW
from tests.tuning_builder import DAY, fires, happens, said, when
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.quality import AlertQuality, alert_quality

WEEK = Window(NOW - DAY, NOW + 6 * DAY)


def quality(casebook: Casebook, window: Window = WEEK) -> AlertQuality:
    with casebook.reading() as connection:
        return alert_quality(connection, window)


def test_of_a_time_without_alerts_there_is_no_precision(casebook: Casebook) -> None:
    assert quality(casebook) == AlertQuality(0, 0, 0, 0, 0, 0)
    assert quality(casebook).precision is None


def test_each_incident_counts_once_by_the_last_word_on_it(casebook: Casebook) -> None:
    ids = [happens(casebook, f"{usd}.00", day=usd / 100, scope={"team": f"t{usd}"}) for usd in range(80, 85)]
    for number, incident_id in enumerate(ids):
        assert fires(casebook, incident_id, day=number / 100)
    told_in_slack(casebook, ids[0], "C2")
    said(casebook, ids[0], "not-an-issue")
    said(casebook, ids[0], "real")
    said(casebook, ids[1], "not-an-issue")
    said(casebook, ids[2], "expected")
    found = quality(casebook)
    assert found == AlertQuality(alerted=5, real=1, expected=1, not_an_issue=1, silent=2, kept_quiet=0)
    assert found.as_json()["precision"] == 0.5


def test_what_was_kept_quiet_is_counted_and_is_no_alert(casebook: Casebook) -> None:
    first = happens(casebook, "80.00")
    assert fires(casebook, first, day=0)
    said(casebook, first, "not-an-issue")
    assert not fires(casebook, happens(casebook, "70.00", day=2), day=2)
    assert not fires(casebook, happens(casebook, "60.00", day=3), day=3)
    found = quality(casebook)
    assert (found.alerted, found.not_an_issue, found.kept_quiet) == (1, 1, 2)


def test_alerts_of_other_times_do_not_count(casebook: Casebook) -> None:
    assert fires(casebook, happens(casebook, "80.00"), day=0)
    assert fires(casebook, happens(casebook, "90.00", day=6, scope={"team": "ads"}), day=6)
    assert quality(casebook).alerted == 1
    assert quality(casebook, Window(when(6), when(13))).alerted == 1
