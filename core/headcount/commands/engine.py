"""`headcount engine`: the same counting without a screen, for a service."""

import logging
import os
import signal
import sys
import threading
from argparse import ArgumentParser, Namespace

from headcount import __version__, stopping
from headcount.commands.base import Command, add_common, add_trust_clock
from headcount.settings import Settings

log = logging.getLogger("headcount")


class Engine(Command):
    """Follows the source and keeps the state until a signal asks it to stop. It counts all hosts."""

    name = "engine"
    help = "follow the source and keep the state, without a screen"

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_common(parser, "state", "reading", by_host=False)
        add_trust_clock(parser)

    def run(self, asked: Namespace, settings: Settings) -> int:
        from headcount.engine.assemble import open_run

        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        log.addHandler(handler)  # ours alone: what a library would say may name files, and so users
        log.propagate = False
        stop = threading.Event()
        for number in stopping.STOP:
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it to stay
                signal.signal(number, lambda *_: stop.set())
        stopping.heed()
        with open_run(settings, os.environ, keep="always", trust_clock=asked.trust_clock) as run:
            log.info("headcount %s: %s", __version__, run.described)
            run.run(lambda snapshot: None, stop)
        log.info("stopped")
        return 0
