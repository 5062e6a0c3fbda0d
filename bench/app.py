"""The speed of the app against a real system, for the page of results.

tests/app/measure.py measures it.
"""

import subprocess
import sys

from bench.report import Cell, Report, command_line


def main() -> None:
    asked = command_line(__doc__).parse_args()
    report = Report("app", asked.results)
    report.title("The app")
    rows: list[list[Cell]] = []
    command = [sys.executable, "-m", "tests.app.measure"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as measuring:
        assert measuring.stdout is not None
        for line in measuring.stdout:
            print(line, end="", file=sys.stderr, flush=True)
            what, _, figure = line.strip().partition(": ")
            rows.append([what, figure])
    if measuring.returncode:
        raise SystemExit(measuring.returncode)
    report.table(["What", "measured"], rows)
    report.save()


if __name__ == "__main__":
    main()
