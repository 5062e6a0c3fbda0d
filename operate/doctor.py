"""`make doctor`: checks a configuration from outside, one line a finding with its cure.

It exits 1 when something would not work. It changes nothing: no row, no object, no message.
"""

import sys

import logs
import settings
from operate import (
    check_certificates,
    check_database,
    check_provider,
    check_purchases,
    check_redis,
    check_supabase,
)
from operate.findings import Check, Finding, note, wrong

CHECKS: tuple[Check, ...] = (
    check_database.bridge,
    check_database.worker,
    check_database.owner,
    check_redis.redis,
    check_supabase.keys,
    check_supabase.supabase,
    check_provider.replicate,
    check_provider.webhook,
    check_purchases.webhook,
    check_certificates.certificates,
)


def main() -> int:
    settings.load()  # exits and names each wrong value
    found = [finding for check in CHECKS for finding in look(check)]
    return 1 if any(finding.level == "wrong" for finding in found) else 0


def look(check: Check) -> list[Finding]:
    """Run a check and print its findings as they come: a server that is away takes seconds."""
    found: list[Finding] = []
    name = check.__name__
    try:
        for finding in check():
            show(finding)
            found.append(finding)
    except Exception as error:  # a bug of one check must not hide the others
        found.append(wrong(name, f"this check failed: {logs.describe(error)}. Report it as a bug."))
        show(found[-1])
    if not found:
        found.append(note(name, "is not set"))
        show(found[-1])
    return found


def show(finding: Finding) -> None:
    label = "WRONG" if finding.level == "wrong" else finding.level
    print(f"{label:<5}  {finding.subject}: {logs.scrubbed(finding.says)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
