"""Whatever library logs, a line is one line, says what it is about, and holds no secret."""

import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping

import pytest
from pydantic import BaseModel, SecretStr

from tokensleuth.observing.logs import configure
from tokensleuth.observing.redaction import redactor, secrets_in
from tokensleuth.observing.settings import LogSettings

SECRET = 'h3art"be&t/s\\ecret'  # noqa: S105 - made up
LOGGERS = (
    "tokensleuth.service.serving", "ledger.store", "uvicorn", "uvicorn.error", "uvicorn.access", "httpx",
    "httpx2", "httpcore.connection", "slack_sdk.web.base_client", "slack_sdk.socket_mode",
    "sqlalchemy.engine.Engine", "sqlalchemy.pool", "apscheduler.scheduler", "alembic", "openai", "langgraph",
    "py.warnings", "asyncio", "a.library.nobody.knows",
)  # fmt: skip
KEYS = (
    "sk-proj-abcdef0123456789",
    "sk-ant-admin01-abcdefgh",
    "xoxb-123456789-abcdef",
    "xapp-1-A1-abcdefghij",
    "ghp_abcdefghijklmnop1234",
    "AKIAIOSFODNN7EXAMPLE",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.abcdef",
)


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Logging is of the whole process: each test leaves it as it was."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers = []  # those of pytest, which `force` would close
    levels = {name: logging.getLogger(name).level for name in logging.root.manager.loggerDict}
    yield
    logging.captureWarnings(False)
    root.handlers, root.level = handlers, level
    for name in logging.root.manager.loggerDict:
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def objects(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return [json.loads(line) for line in lines(capsys)]


def as_json(level: str = "info", *secrets: str) -> None:
    configure(LogSettings.model_validate({"format": "json", "level": level}), [SECRET, *secrets])


def test_json_is_one_object_a_line_with_the_ids_that_were_given(capsys: pytest.CaptureFixture[str]) -> None:
    as_json()
    logging.getLogger("tokensleuth.x").warning(
        "%s letters\nwait", 3, extra={"incident": "inc_1", "run": "detect/2026", "colour": "red"}
    )
    (found,) = objects(capsys)

    assert found.pop("ts").endswith("Z")
    assert found == {
        "level": "warning", "logger": "tokensleuth.x", "message": "3 letters\nwait", "incident": "inc_1",
        "run": "detect/2026",
    }  # fmt: skip


def test_an_exception_is_in_the_same_object(capsys: pytest.CaptureFixture[str]) -> None:
    as_json()
    try:
        raise ValueError(f"wrong: {SECRET}")
    except ValueError:
        logging.getLogger("x").exception("it failed")
    (found,) = objects(capsys)

    assert "ValueError: wrong: ***" in found["exception"]
    assert found["message"] == "it failed"


@pytest.mark.parametrize("name", LOGGERS)
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_logger_lets_a_secret_out(name: str, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings.model_validate({"format": form, "level": "debug"}), [SecretStr(SECRET)])
    logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger(name).error("HTTP Request: GET https://x.test/?k=%s", SECRET)
    logging.getLogger(name).debug("headers %r", {"k": SECRET, "Authorization": f"Bearer {KEYS[0]}"})
    text = "\n".join(lines(capsys))

    assert text.count("***") >= 2
    assert not [part for part in (SECRET, "ecret", KEYS[0], "abcdef0123") if part in text]


@pytest.mark.parametrize("key", KEYS)
def test_what_looks_like_a_key_is_taken_out_though_no_setting_holds_it(key: str) -> None:
    assert key not in redactor()(f"the answer to {key} was 401")
    assert key[8:] not in redactor()(f'{{"a": "{key}"}}')


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://app:hunter2@db/casebook", "postgresql://app:***@db/casebook"),
        ("https://hooks.slack.com/services/T0/B0/abc", "https://hooks.slack.com/services/***"),
        ('{"password": "hunter2", "user": "a"}', '{"password": "***", "user": "a"}'),
        ("GET /x?token=abcd1234&page=2", "GET /x?token=***&page=2"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "Authorization: *** ***"),
    ],
)
def test_logins_are_taken_out_wherever_they_stand(text: str, shown: str) -> None:
    assert redactor()(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "1,204 tokens: 3 USD in 2 h",
        "inc_0123456789ab: prop_0123456789ab is approved",
        "audit anchor 12:" + "ab" * 32,
        "GET https://api.openai.com/v1/organization/usage/completions?page=2",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redactor(["hunter2hunter2"])(text) == text


def test_a_secret_is_found_however_it_is_spelled() -> None:
    redact = redactor([SECRET])

    assert "ecret" not in redact(f"{SECRET!r} {json.dumps(SECRET)} h3art%22be%26t%2Fs%5Cecret")


def test_a_value_of_one_letter_does_not_blank_every_line() -> None:
    assert redactor(["a", ""])("a plain line") == "a plain line"


def test_the_secrets_of_settings_are_found_in_every_table() -> None:
    class Inner(BaseModel):
        key: SecretStr | None = None

    class Outer(BaseModel):
        inner: Inner
        many: tuple[Inner, ...]
        named: Mapping[str, Inner]

    made = [Inner(key=SecretStr(f"secret-{n}")) for n in range(3)]
    found = secrets_in(Outer(inner=made[0], many=(made[1], Inner()), named={"a": made[2]}))

    assert [s.get_secret_value() for s in found] == ["secret-0", "secret-1", "secret-2"]


def test_a_value_from_outside_begins_no_line_of_text(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings())
    logging.getLogger("x").info("model %s", "gpt\nERROR root: forged\x1b[2J", extra={"proposal": "p\n1"})

    assert lines(capsys) == ["INFO x: model gpt\\nERROR root: forged\\x1b[2J [proposal=p\\n1]"]


def test_arguments_that_do_not_fit_lose_no_line_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    as_json()
    logging.getLogger("x").warning("%d and %d", SECRET)
    (found,) = objects(capsys)

    assert "%d and %d" in found["message"]
    assert "ecret" not in found["message"]


def test_chatty_libraries_are_heard_from_warnings_on(capsys: pytest.CaptureFixture[str]) -> None:
    as_json()
    logging.getLogger("apscheduler.executors.default").info("looked at the clock")
    logging.getLogger("httpx2").info("HTTP Request")
    logging.getLogger("httpx2").warning("slow")

    assert [found["message"] for found in objects(capsys)] == ["slow"]


def test_the_level_is_kept_to(capsys: pytest.CaptureFixture[str]) -> None:
    as_json("warning")
    logging.getLogger("x").info("quiet")
    logging.getLogger("x").warning("heard")

    assert [found["message"] for found in objects(capsys)] == ["heard"]


def test_configuring_twice_writes_each_line_once(capsys: pytest.CaptureFixture[str]) -> None:
    as_json()
    as_json()
    logging.getLogger("x").info("once")

    assert len(objects(capsys)) == 1


def test_what_nobody_caught_in_a_thread_is_told_without_its_secrets(
    capsys: pytest.CaptureFixture[str],
) -> None:
    as_json()

    def fail() -> None:
        raise RuntimeError(SECRET)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    (found,) = objects(capsys)

    assert found["level"] == "critical"
    assert "RuntimeError: ***" in found["exception"]


def test_warnings_are_log_lines_too(capsys: pytest.CaptureFixture[str]) -> None:
    as_json()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("old way", DeprecationWarning, stacklevel=1)

    assert "old way" in objects(capsys)[0]["message"]


def test_a_process_of_its_own_logs_the_same_way_also_when_it_dies() -> None:
    program = (
        "import logging; from tokensleuth.observing.logs import configure; "
        "from tokensleuth.observing.settings import LogSettings; "
        f"configure(LogSettings(format='json'), [{SECRET!r}]); "
        f"logging.getLogger('child').info('begun'); raise ValueError({SECRET!r})"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    first, last = (json.loads(line) for line in ran.stderr.splitlines())

    assert (ran.returncode, first["message"], last["level"]) == (1, "begun", "critical")
    assert "ecret" not in last["exception"]
