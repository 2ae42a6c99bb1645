"""Log lines on stderr, as text or one JSON object each, from every library, and never with a secret."""

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import TracebackType

from pydantic import SecretStr

from tokensleuth.observing.redaction import redactor
from tokensleuth.observing.settings import LogSettings

IDS = ("run", "duty", "slot", "incident", "proposal", "execution", "letter", "source")
"""What `extra` may name: ids that lead from a line to what it is about."""
MOST_CHARACTERS = 32_768
"""Of one text in a line."""

_CHATTY = ("alembic", "httpx", "httpx2", "httpcore", "apscheduler", "slack_sdk", "urllib3", "asyncio")
"""They tell of every request and every look at the clock: below warnings only where all is."""
_CONTROLS = {number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160))} | {
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\t",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}
"""A value from outside must not begin a line that looks like ours."""

log = logging.getLogger(__name__)


class TextFormatter(logging.Formatter):
    """`WARNING name: message [incident=inc_1]`, the traceback indented below it."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        ids = " ".join(f"{name}={value}" for name, value in _ids(record).items())
        line = f"{record.levelname} {record.name}: {_message(record)}" + (f" [{ids}]" if ids else "")
        trace = "".join(f"\n    {below}" for below in self._redact(_trace(record)).splitlines())
        return self._redact(line)[:MOST_CHARACTERS].translate(_CONTROLS) + trace


class JsonFormatter(logging.Formatter):
    """`ts`, `level`, `logger` and `message`, the ids that were given, and `exception` where there is one."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        texts = {
            "ts": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._shown(_message(record)),
            **{name: self._shown(value) for name, value in _ids(record).items()},
        }
        if trace := _trace(record):
            texts["exception"] = self._shown(trace)
        return json.dumps(texts)

    def _shown(self, text: str) -> str:
        return self._redact(text)[:MOST_CHARACTERS]


def configure(settings: LogSettings, secrets: Iterable[SecretStr | str] = ()) -> None:
    """Send everything that is logged in this process to stderr; what was set up before is replaced.

    `secrets` are blanked wherever they stand; `secrets_in(settings)` names those of the settings.
    """
    redact = redactor(secrets)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(redact) if settings.format == "json" else TextFormatter(redact))
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.NOTSET if level <= logging.DEBUG else logging.WARNING)
    logging.captureWarnings(True)
    sys.excepthook = _tell_uncaught
    threading.excepthook = lambda args: _tell_uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def _tell_uncaught(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    """What nobody caught would be printed with all its values; a Ctrl-C is no failure."""
    if error is None or issubclass(kind, KeyboardInterrupt):
        return
    log.critical("uncaught %s", kind.__name__, exc_info=(kind, error, trace))


def _message(record: logging.LogRecord) -> str:
    """Arguments that do not fit are told as they are, where logging itself would print them unredacted."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError, IndexError):
        return f"{record.msg} {record.args!r}"


def _ids(record: logging.LogRecord) -> dict[str, str]:
    return {name: str(value) for name in IDS if (value := getattr(record, name, None)) is not None}


def _trace(record: logging.LogRecord) -> str:
    """The traceback and the stack, where they were asked for."""
    parts = [record.stack_info or ""]
    if record.exc_info and record.exc_info[0] is not None:
        parts.insert(0, logging.Formatter().formatException(record.exc_info))
    elif record.exc_text:
        parts.insert(0, record.exc_text)
    return "\n".join(part for part in parts if part)
