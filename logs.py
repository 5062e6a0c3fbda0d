"""Log one line per event: a constant name, then the facts (`job_id`, `attempt`, …) from `extra`.

In JSON format, every line that a process prints is JSON, from its first byte. This includes a
warning of a library, the reason for a refused start, and a traceback.
"""

import io
import json
import logging
import re
import sys
import threading
from datetime import UTC, datetime
from typing import Any, TextIO

import settings

# Characters of one error that are logged: enough for any sentence, and short enough for one line.
MAX_ERROR_TEXT = 500
# Text that no log may contain: keys, queries of signed URLs, passwords in URLs, inlined files.
SECRETS = re.compile(
    r"\b(?:r8_|sk-|whsec_|sb_secret_|sbp_)[\w+/=.-]{4,}|\beyJ[\w-]{8,}\.[\w.-]+|(?<=bearer )\S+|(?<=token )\S{20,}"
    r"|(?<=://)[^\s/@]+:[^\s/@]+(?=@)|(?<=data:)[\w/+.-]+[;,][^\s\"')]+|(?<=[^\s?]\?)[^\s\"'?]*=[^\s\"')]*",
    re.IGNORECASE,
)

STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class EventFormatter(logging.Formatter):
    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self.as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        facts = {key: value for key, value in vars(record).items() if key not in STANDARD and key != "data"}
        if record.exc_info:
            facts["exception"] = self.formatException(record.exc_info)
        if self.as_json:
            return as_json(record.levelname, record.name, record.getMessage(), record.created, facts)
        return self.text_line(record, facts)

    def text_line(self, record: logging.LogRecord, facts: dict[str, Any]) -> str:
        at = datetime.fromtimestamp(record.created).strftime("%H:%M:%S.%f")[:-3]
        exception = facts.pop("exception", None)
        pairs = (f"{key}={on_one_line(value)}" for key, value in facts.items())
        words = [at, f"{record.levelname:<7}", on_one_line(record.getMessage()), *pairs]
        # Indent the traceback: the text of an error may have lines that look like events.
        lines = exception.splitlines() if exception else []
        return "\n    ".join([" ".join(words), *lines])


class JsonLines(io.TextIOBase):
    """A standard stream that writes every line as JSON."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self.stream, self.name, self.rest = stream, name, ""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.stream.fileno()

    def write(self, text: str) -> int:
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            self.say(line)
        return len(text)

    def flush(self) -> None:
        """Keep an unfinished line: `print` may flush before the line ends."""
        self.stream.flush()

    def close(self) -> None:
        line, self.rest = self.rest, ""
        self.say(line)

    def say(self, line: str) -> None:
        if line.strip():
            level = "ERROR" if self.name == "stderr" else "INFO"
            self.stream.write(as_json(level, self.name, line) + "\n")
            self.stream.flush()


def as_json(
    level: str, logger: str, event: str, created: float | None = None, facts: dict[str, Any] | None = None
) -> str:
    """Return one line of JSON. Values of types that JSON lacks become text."""
    moment = datetime.now(UTC) if created is None else datetime.fromtimestamp(created, UTC)
    at = moment.isoformat(timespec="milliseconds")
    line = {"at": at, "level": level, "logger": logger, "event": event}
    return json.dumps(line | (facts or {}) | line, default=str)


def on_one_line(value: object) -> str:
    """Return the text of a value, quoted if it has a control character.

    A newline in it could forge a log line.
    """
    text = str(value)
    return text if text.isprintable() else json.dumps(text)


def begin() -> None:
    """Start the JSON format before anything can be printed.

    Call it before the settings are read: they may be wrong, and that error is printed, too.
    """
    if settings.variable("LOG_FORMAT") != "json" or isinstance(sys.stdout, JsonLines):
        return
    sys.stdout, sys.stderr = JsonLines(sys.stdout, "stdout"), JsonLines(sys.stderr, "stderr")
    to_stdout(logging.INFO, as_json=True)
    logging.captureWarnings(True)
    sys.excepthook = lambda *crash: logging.getLogger().critical("process.crashed", exc_info=crash)
    threading.excepthook = thread_crashed


def thread_crashed(crash: threading.ExceptHookArgs) -> None:
    if crash.exc_type is not SystemExit and crash.exc_value is not None:
        facts = (crash.exc_type, crash.exc_value, crash.exc_traceback)
        logging.getLogger().critical("thread.crashed", exc_info=facts)


def configure(config: settings.Settings) -> None:
    """Send every event of this process to standard output, in the format of `LOG_FORMAT`."""
    to_stdout(config.log_level, as_json=config.log_format == "json")
    # At level INFO httpx logs a line per upload, with signed URLs.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def to_stdout(level: int | str, *, as_json: bool) -> None:
    handler = logging.StreamHandler(sys.stdout.stream if isinstance(sys.stdout, JsonLines) else sys.stdout)
    handler.setFormatter(EventFormatter(as_json=as_json))
    logging.basicConfig(level=level, handlers=[handler], force=True)


def describe(error: BaseException) -> str:
    """Return class and text of an error and of its cause.

    The `repr` of some errors, such as those of redis-py, lacks the text.
    """
    text = shortened(scrubbed(str(error)))
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    # An error of httpx repeats the text of its cause, an error of httpcore.
    cause = describe(error.__cause__) if error.__cause__ else said
    return said if cause == said else f"{said} <- {cause}"


def scrubbed(text: str) -> str:
    """Return the text without secrets."""
    return SECRETS.sub("…", text)


def shortened(text: str) -> str:
    """Return one line of at most 500 characters: of a long text, its beginning and its end."""
    line = " ".join(text.split())
    half = (MAX_ERROR_TEXT - 3) // 2
    return line if len(line) <= MAX_ERROR_TEXT else f"{line[:half]} … {line[-half:]}"
