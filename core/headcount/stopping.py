"""The signals that ask a process to stop: they wait while a command gets ready, and once its answer is given.

A command that is interrupted halfway through its imports would end in a traceback. While they wait the kernel keeps
them, so none is lost, and they are acted upon at the moment at which the command is ready for them.
"""

import signal
import sys
from types import FrameType

STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def hold() -> None:
    """Has the signals wait."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP)


def heed() -> None:
    """Has the signals act, those first that have waited."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP)


def unwind() -> None:
    """Has SIGTERM and SIGHUP end the process as SIGINT does, so that what was made for its time is taken away."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it to stay
            signal.signal(number, _leave)


def _leave(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)
