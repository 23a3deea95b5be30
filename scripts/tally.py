#!/usr/bin/python3
"""Adds up JUnit reports: tally.py FILE... prints `N passed, N failed` and exits 1 unless all is well.

What failed is printed before it, a line `failed: NAME: REASON` each, so that the end of a log tells what to look at.
A report that is missing or unreadable is a failure, and so is a test that could not be started. A test that skips
itself (a processor without AVX-512, say) is neither passed nor failed.
"""

import sys
import xml.etree.ElementTree


def outcome(case):
    """1 passed, -1 failed, 0 skipped."""
    if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
        return -1
    skipped = case.find("skipped")
    if skipped is None:
        return 0 if case.get("status") == "disabled" else 1
    # CTest writes a test whose program is missing as skipped too.
    cannot_run = case.get("status") == "notrun" and not skipped.get("message", "").startswith("SKIP_")
    return -1 if cannot_run else 0


def reason(case):
    """Why a test failed, in one line: pytest's message, or the end of what a program of CTest printed."""
    for kind in ("failure", "error", "system-out"):
        found = case.find(kind)
        text = "" if found is None else " ".join((found.get("message") or found.text or "").split())
        if text:
            return text[-500:]
    return "it printed nothing"


def main():
    passed = failed = 0
    for path in sys.argv[1:]:
        try:
            cases = list(xml.etree.ElementTree.parse(path).iter("testcase"))
            outcomes = [outcome(case) for case in cases]
            for case, ended in zip(cases, outcomes):
                if ended < 0:
                    print(f"failed: {case.get('name')}: {reason(case)}")
        except (OSError, xml.etree.ElementTree.ParseError) as error:
            print(f"failed: {path}: no report of the tests: {error}")
            outcomes = [-1]
        passed += outcomes.count(1)
        failed += outcomes.count(-1)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
