"""The screen of a program in a terminal, and the same as a page."""

import fcntl
import html
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Sequence
from pathlib import Path

from local.stack import ROOT

SIZE = (40, 108)  # rows and columns
# the README has the first scene as text, and a film does not move on paper
BEGIN = "Tap: “an orange"
# Up n lines, and all below is gone: how local/terminal.py draws anew.
AGAIN = re.compile(r"\x1b\[(\d+)F\x1b\[J")
STYLE = re.compile(r"\x1b\[([\d;]*)m")
PAGE = """\
<body style="margin:0"><pre style="display:inline-block; margin:0; padding:14px 20px; color:#ddd; background:#141414;
letter-spacing:calc(8px - 1ch); font:13px/16px 'DejaVu Sans Mono',monospace">%s</pre></body>"""


def shown_by(command: Sequence[str], folder: Path = ROOT) -> str:
    """Raises CalledProcessError if it fails."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
    # passed on, not read
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment["PYTHONPATH"] = str(ROOT)  # our modules are found from any folder
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b"".join(iter(lambda: read(ours), b""))
    os.close(ours)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, shown)
    return shown.decode()


def read(terminal: int) -> bytes:
    """Nothing once all that write there have ended, which Linux calls an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def lines_of(shown: str) -> list[str]:
    """Those that stay, with their colours."""
    lines: list[str] = []
    for line in shown.replace("\r\n", "\n").split("\n"):
        if again := AGAIN.search(line):
            del lines[len(lines) - int(again[1]) :]
            line = AGAIN.sub("", line)
        lines.append(line)
    return lines


def as_html(shown: str) -> str:
    """From the third scene on. A half block is drawn as the two pixels that it stands for."""
    lines = lines_of(shown)
    begin = next((number for number, line in enumerate(lines) if BEGIN in line), 0)
    return PAGE % "\n".join(coloured(line) for line in lines[begin:]).rstrip()


def coloured(line: str) -> str:
    parts = STYLE.split(line)
    made = html.escape(parts[0])
    for style, text in zip(parts[1::2], parts[2::2], strict=True):
        made += span(style, text) if text else ""
    return made


def span(style: str, text: str) -> str:
    if colours := re.fullmatch(r"38;2;(\d+;\d+;\d+);48;2;(\d+;\d+;\d+)", style):
        upper, lower = (f"rgb({colour.replace(';', ',')})" for colour in colours.groups())
        pixel = (
            f"display:inline-block;width:8px;height:16px;background:linear-gradient({upper} 50%,{lower} 50%)"
        )
        return f'<span style="{pixel};vertical-align:top">&nbsp;</span>' * len(text)
    weight = ' style="font-weight:bold;color:#ffdc78"' if style == "1" else ""
    return f"<span{weight}>{html.escape(text)}</span>"
