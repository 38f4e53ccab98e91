"""What many tests need around them."""

import compileall
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from real_server.logins import pytest_terminal_summary  # noqa: F401 - pytest asks for it here alone

# A busy machine is no reason to fail: no test here asserts how fast anything is.
settings.register_profile("headcount", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("headcount")


def pytest_configure(config: pytest.Config) -> None:
    """Hears the signals that end a program, which `nohup` and a shell's `&` have ignored, since all that tests start
    would be deaf to them too. Compiles the sources once for all of those, even where Python may not keep that."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        for place in ("core/headcount", "tui/headcount_tui"):
            compileall.compile_dir(config.rootpath / place, quiet=2)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """With `-n auto`: a worker more than processors for each two of them, since a third of the time is waiting for
    processes and terminals."""
    return (os.cpu_count() or 1) * 3 // 2


@pytest.fixture
def open_tmp() -> Iterator[Path]:
    """A temporary directory that every user may enter."""
    path = Path(tempfile.mkdtemp(prefix="headcount-test-"))
    path.chmod(0o755)
    yield path
    for directory, _, _ in os.walk(path):
        Path(directory).chmod(0o700)
    shutil.rmtree(path)
