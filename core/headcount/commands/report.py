"""`headcount report`: the figures, once."""

import os
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from headcount import stopping
from headcount.commands import terminal
from headcount.commands.base import Command, add_common
from headcount.settings import Settings

if TYPE_CHECKING:
    from headcount.tasks.reporting import Question

FORMATS = ("table", "json", "csv")


class Report(Command):
    """Prints the figures as of now or of another moment, narrowed to what is asked."""

    name = "report"
    help = "print the figures once; writes nothing"

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_common(parser, "state", "reading")
        parser.add_argument("--at", metavar="TIME", help="as of this time: ISO 8601 or Unix seconds (default: now)")
        parser.add_argument("--read", action="store_true", help="read the server's files even where an engine runs")
        parser.add_argument("--month", metavar="YYYY-MM", help="only this calendar month, up to the current one")
        parser.add_argument(
            "--country", metavar="CC", help="only users in this country (ISO code or name; ? for unknown)"
        )
        parser.add_argument("--client", metavar="TYPE", help="only users with this client (? for unknown)")
        parser.add_argument("--format", choices=FORMATS, default="table", help="default: table")
        parser.add_argument(
            "--k-anonymous",
            action="store_true",
            help="as it may leave the machine: no group of fewer than min_count users (by default 5) follows from it",
        )

    def run(self, asked: Namespace, settings: Settings) -> int:
        from headcount.tasks.reporting import Question

        narrowed = asked.month, asked.country, asked.client, asked.k_anonymous
        question = Question(asked.at, asked.host, *narrowed, reads=asked.read)
        return print_report(settings, question, asked.format)


def print_report(settings: Settings, question: "Question", form: str) -> int:
    """Prints the answer to a question in the form `table`, `json` or `csv`; gives the exit code."""
    from headcount.tasks.reporting import answer

    stopping.heed()
    terminal.show(answer(settings, os.environ, question, form), encoding=None if form == "table" else "utf-8")
    return 0
