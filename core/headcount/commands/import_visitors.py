"""`headcount import`: takes over what mod_monthly_visitors counted."""

import os
import time
from argparse import ArgumentParser, Namespace

from headcount import stopping
from headcount.commands import terminal
from headcount.commands.base import Command, add_common
from headcount.settings import Settings


class ImportVisitors(Command):
    """Puts months that the module counted, and whom it counted in this one, into the state of the source."""

    name = "import"
    help = "take over what mod_monthly_visitors counted"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("data_dir", metavar="DATA_DIR", help="the data directory that the module counted in")
        add_common(parser, "state")
        parser.add_argument("--dry-run", action="store_true", help="say what would be taken over, and do nothing")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="if both counted a month and it is not known whom, use the module's count instead of our lower "
            "bound (≥)",
        )

    def run(self, asked: Namespace, settings: Settings) -> int:
        from headcount.tasks.visitors_import import take_in

        stopping.heed()
        account = take_in(
            settings,
            os.environ,
            asked.data_dir,
            now=time.time(),
            hosts=asked.host,
            replace_ours=asked.replace,
            dry_run=asked.dry_run,
        )
        terminal.show(account.to_text())
        account.require_all()
        return 0
