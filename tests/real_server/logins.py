"""Says at the end of a run how many logins real clients did on a real server."""

from collections import Counter

import pytest

LOGINS = "logins on a real server"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line for each version of the server."""
    tests: Counter[str] = Counter()
    logins: Counter[str] = Counter()
    for report in [report for reports in terminalreporter.stats.values() for report in reports]:
        if getattr(report, "when", None) != "teardown":
            continue
        for name, value in report.user_properties:
            if name == LOGINS:
                tests[value[0]] += 1
                logins[value[0]] += value[1]
    for version, count in logins.items():
        terminalreporter.write_line(f"Prosody {version}: {count} logins in {tests[version]} tests on the real server")
