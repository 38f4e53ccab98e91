"""`headcount export`: the figures as files."""

import os
from argparse import ArgumentParser, Namespace

from headcount import stopping
from headcount.commands import terminal
from headcount.commands.base import Command, add_common
from headcount.settings import Settings
from headcount.text import clean

FORMATS = ("json", "csv", "html", "prosody-flat", "prosody-nested")


class Export(Command):
    """Writes a report as a file, or the files of mod_monthly_visitors."""

    name = "export"
    help = "write the figures as files for others, or for a server"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", metavar="DIR", help="where to write; made if it is not there")
        add_common(parser, "state", "reading")
        parser.add_argument(
            "--format",
            choices=FORMATS,
            required=True,
            help="a report as headcount.json, .csv or .html, which replace older ones; or the files of "
            "mod_monthly_visitors, which replace nothing",
        )
        parser.add_argument("--read", action="store_true", help="read the server's files even where an engine runs")
        parser.add_argument(
            "--exact",
            action="store_true",
            help="all figures. The module's files then name users: there is one for each who is counted this month, "
            "for a server to go on counting from; the other formats never do. By default small groups are merged, so "
            "that no group of fewer than min_count users (5) is shown, and nobody is named: a server that loads such "
            "files counts this month's users twice",
        )

    def run(self, asked: Namespace, settings: Settings) -> int:
        from headcount.tasks.report_file import export
        from headcount.tasks.visitors_export import SHAPES, hand_out

        stopping.heed()
        where, form = asked.directory, asked.format
        if form not in SHAPES:
            path = export(settings, os.environ, where, form, exact=asked.exact, hosts=asked.host, reads=asked.read)
            terminal.show(f"Wrote {clean(path)}.\n")
            return 0
        handed = hand_out(settings, os.environ, where, SHAPES[form], exact=asked.exact, hosts=asked.host)
        terminal.show(handed.to_text())
        handed.require_all()
        return 0
