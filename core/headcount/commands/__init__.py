"""The commands, one file each: what a command is called, what it takes, and what it does."""

from headcount.commands.base import Command
from headcount.commands.demo import Demo
from headcount.commands.engine import Engine
from headcount.commands.export import Export
from headcount.commands.import_visitors import ImportVisitors
from headcount.commands.prune import Prune
from headcount.commands.report import Report
from headcount.commands.screen import Screen

COMMANDS: tuple[Command, ...] = (Screen(), Engine(), Report(), Export(), ImportVisitors(), Prune(), Demo())
"""All commands, in the order of --help. The first is meant where none is named."""
