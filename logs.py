"""One line per event: a constant name, then what it is about (`job_id`, `attempt`, `fence`, …) from `extra`."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

from settings import Settings

MAX_TEXT = 500  # characters of one error that are logged: any sentence, and a line stays a line
# What no log may have: keys, the query of a signed URL, a password in a URL, a file inside a text.
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
        return self.json_line(record, facts) if self.as_json else self.text_line(record, facts)

    def json_line(self, record: logging.LogRecord, facts: dict[str, Any]) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname, "logger": record.name, "event": record.getMessage()}
        return json.dumps(line | facts, default=str)

    def text_line(self, record: logging.LogRecord, facts: dict[str, Any]) -> str:
        at = datetime.fromtimestamp(record.created).strftime("%H:%M:%S.%f")[:-3]
        exception = facts.pop("exception", None)
        words = [at, f"{record.levelname:<7}", record.getMessage(), *(f"{k}={v}" for k, v in facts.items())]
        return " ".join(words) + (f"\n{exception}" if exception else "")


def configure(settings: Settings) -> None:
    """Send every event of this process to standard output, as `LOG_FORMAT` says."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(EventFormatter(as_json=settings.log_format == "json"))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # one line per upload, and it would hold signed URLs


def describe(error: BaseException) -> str:
    """Class and text of an error and of what caused it; the `repr` of some says nothing, redis-py's for one."""
    text = shortened(scrubbed(str(error)))
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"{said} <- {describe(error.__cause__)}" if error.__cause__ else said


def scrubbed(text: str) -> str:
    """The text without secrets."""
    return SECRETS.sub("…", text)


def shortened(text: str) -> str:
    """One line of at most 500 characters; of a long text, its beginning and its end."""
    line = " ".join(text.split())
    half = (MAX_TEXT - 3) // 2
    return line if len(line) <= MAX_TEXT else f"{line[:half]} … {line[-half:]}"
