"""The command: what is asked, on which source and state, and how it is answered."""

import argparse
import difflib
import importlib.metadata
import io
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from headcount import __version__, stopping
from headcount.errors import HeadcountError, UsageError, unforeseen
from headcount.settings import Settings, load
from headcount.text import clean

if TYPE_CHECKING:
    from headcount.commands.report import Question
    from headcount.feed import Feed

COMMANDS = ("engine", "report", "export", "import", "prune", "demo")
FORMATS = ("table", "json", "csv")
EXPORT_FORMATS = ("json", "csv", "html", "prosody-flat", "prosody-nested")
SCREEN = "headcount.screen"
log = logging.getLogger("headcount")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command with these arguments (by default those of the process); gives the exit code.

    Signals that ask to stop may have to wait before (`stopping.hold`): each command heeds them once it is ready.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        asked = _parser().parse_args(_with_command(arguments))
        settings = load(_flags(asked), os.environ, asked.config)
        answer: Callable[[argparse.Namespace, Settings], int] = asked.answer
        return answer(asked, settings)
    except HeadcountError as error:
        print(f"headcount: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # the reader, `head` say, has had enough
        _drop_output()
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        print(f"headcount: {unforeseen(error)}", file=sys.stderr)
        return 1


def _screen(asked: argparse.Namespace, settings: Settings) -> int:
    if not _has_terminal():
        from headcount.commands.report import Question

        return _print_report(settings, Question(hosts=asked.host), "table")
    from headcount.engine.assemble import open_look

    stopping.heed()
    with open_look(settings, os.environ, asked.trust_clock) as feed:
        return _open_screen(asked, settings, feed)


def _engine(asked: argparse.Namespace, settings: Settings) -> int:
    from headcount.engine.assemble import open_run

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    log.addHandler(handler)  # ours alone: what a library would say may name files, and so users
    log.setLevel(getattr(logging, settings.log_level.upper()))
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


def _report(asked: argparse.Namespace, settings: Settings) -> int:
    from headcount.commands.report import Question

    question = Question(asked.at, asked.host, asked.month, asked.country, asked.client, asked.k_anonymous)
    return _print_report(settings, question, asked.format)


def _print_report(settings: Settings, question: "Question", form: str) -> int:
    from headcount.commands.report import answer

    stopping.heed()
    _print(answer(settings, os.environ, question, form), encoding=None if form == "table" else "utf-8")
    return 0


def _export(asked: argparse.Namespace, settings: Settings) -> int:
    from headcount.commands.export import export
    from headcount.commands.export_visitors import SHAPES, hand_out

    stopping.heed()
    where, form = asked.directory, asked.format
    if form not in SHAPES:
        path = export(settings, os.environ, where, form, exact=asked.exact, hosts=asked.host)
        _print(f"Wrote {clean(path)}.\n")
        return 0
    handed = hand_out(settings, os.environ, where, SHAPES[form], exact=asked.exact, hosts=asked.host)
    _print(handed.to_text())
    handed.require_all()
    return 0


def _import(asked: argparse.Namespace, settings: Settings) -> int:
    from headcount.commands.import_visitors import take_in

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
    _print(account.to_text())
    account.require_all()
    return 0


def _prune(asked: argparse.Namespace, settings: Settings) -> int:
    from headcount.commands.prune import prune

    stopping.heed()
    pruned = prune(settings, os.environ, asked.before, asked.keep, now=time.time(), dry_run=asked.dry_run)
    _print(f"{pruned}\n")
    return 0


def _demo(asked: argparse.Namespace, settings: Settings) -> int:
    from headcount.commands.report import render
    from headcount.demo.run import demo_run

    stopping.unwind()
    stopping.heed()
    if _has_terminal():
        print("Setting up a simulated server …", file=sys.stderr, end="\r", flush=True)
    with demo_run(settings) as run:
        if not _has_terminal():
            _print(render(run.engine.read_once(), "table"))
            return 0
        return _open_screen(asked, settings, run)


def _open_screen(asked: argparse.Namespace, settings: Settings, feed: "Feed") -> int:
    """Opens the screen that is installed beside the core."""
    screens = importlib.metadata.entry_points(group=SCREEN)
    if not screens:
        raise HeadcountError("The screen is not installed.", "Install the whole of headcount: pipx install headcount")
    from headcount.figures.filters import Filter, OnlyHosts
    from headcount.screen import ScreenOptions, Show
    from headcount.where import memory_file

    show: Show = next(iter(screens)).load()
    hosts = [host.lower() for host in asked.host]
    return show(
        feed if len(hosts) < 2 else OnlyHosts(feed, hosts),
        ScreenOptions(
            initial_filter=Filter().having("host", hosts[0] if len(hosts) == 1 else None),
            color=not (asked.no_color or os.environ.get("NO_COLOR")),
            ascii=settings.ascii,
            mouse=settings.mouse,
            theme=settings.theme,
            keys=dict(settings.keys),
            memory=memory_file(settings, os.environ),
            remember=settings.remember,
            min_count=settings.min_count,
        ),
    )


def _has_terminal() -> bool:
    """Whether there is somebody to read a screen; it is drawn on standard error, so that must be a terminal too."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def _print(text: str, encoding: str | None = None) -> None:
    """Prints data, by default in the terminal's encoding; a letter that this does not have becomes a question mark."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding=encoding, errors="replace")
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        _drop_output()
        raise HeadcountError(f"The output can't be written: {error.strerror}.") from None


def _drop_output() -> None:
    """Lets what was not written yet go nowhere, so that Python does not fail over it when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    """A parser whose errors look like all others, and whose options are written in full."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "allow_abbrev": False})

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{clean(message[:1].upper() + message[1:])}.", f"See {self.prog} --help.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="headcount",
        description="Live, privacy-preserving user statistics for XMPP servers, in a terminal.",
        epilog="Without a command it opens the live screen: headcount [SOURCE]. See headcount screen --help.",
    )
    parser.add_argument("--version", action="version", version=f"headcount {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser, required=True)

    screen = commands.add_parser("screen", help="the live screen (also without any command)")
    _common(screen)
    _of_screen(screen)
    _of_engine(screen)
    screen.set_defaults(answer=_screen)

    engine = commands.add_parser("engine", help="follow the source and keep the state, without a screen")
    _common(engine)
    _of_engine(engine)
    engine.set_defaults(answer=_engine)

    report = commands.add_parser("report", help="print the figures once; writes nothing")
    _common(report)
    report.add_argument("--at", metavar="TIME", help="as of this time: ISO 8601 or Unix seconds (default: now)")
    report.add_argument("--month", metavar="YYYY-MM", help="only this calendar month, up to the current one")
    report.add_argument("--country", metavar="CC", help="only users in this country (ISO code or name; ? for unknown)")
    report.add_argument("--client", metavar="TYPE", help="only users with this client (? for unknown)")
    report.add_argument("--format", choices=FORMATS, default="table", help="default: table")
    report.add_argument(
        "--k-anonymous",
        action="store_true",
        help="as it may leave the machine: no group of fewer than min_count users (by default 5) follows from it",
    )
    report.set_defaults(answer=_report)

    export = commands.add_parser("export", help="write the figures as files for others, or for a server")
    export.add_argument("directory", metavar="DIR", help="where to write; made if it is not there")
    _common(export)
    export.add_argument(
        "--format",
        choices=EXPORT_FORMATS,
        required=True,
        help="a report as headcount.json, .csv or .html, which replace older ones; or the files of "
        "mod_monthly_visitors, which replace nothing",
    )
    export.add_argument(
        "--exact",
        action="store_true",
        help="all figures. The module's files then name users: there is one for each who is counted this month, for a "
        "server to go on counting from; the other formats never do. By default figures are folded, so that no group of "
        "fewer than min_count users (5) follows from them, and name nobody, so the module would count this month's "
        "users once more",
    )
    export.set_defaults(answer=_export)

    imports = commands.add_parser("import", help="take over what mod_monthly_visitors counted")
    imports.add_argument("data_dir", metavar="DATA_DIR", help="the data directory that the module counted in")
    _common(imports)
    imports.add_argument("--dry-run", action="store_true", help="say what would be taken over, and do nothing")
    imports.add_argument(
        "--replace",
        action="store_true",
        help="where both counted a month and nothing tells whom, let the module's count replace a lower bound",
    )
    imports.set_defaults(answer=_import)

    prune = commands.add_parser("prune", help="delete old months from the state")
    _common(prune)
    prune.add_argument("--before", metavar="YYYY-MM", help="delete the months before this one")
    prune.add_argument("--keep", metavar="N", type=int, help="keep the newest N months, the current one among them")
    prune.add_argument("--dry-run", action="store_true", help="say what would be deleted, and delete nothing")
    prune.set_defaults(answer=_prune)

    demo = commands.add_parser("demo", help="the screen on a simulated busy server; needs nothing else")
    _common(demo, source=False)
    _of_screen(demo)
    demo.set_defaults(answer=_demo)
    return parser


def _common(parser: argparse.ArgumentParser, *, source: bool = True) -> None:
    if source:
        parser.add_argument("source", nargs="?", metavar="SOURCE", help="the server's data directory")
        parser.add_argument("--state", metavar="URL", help="where counts are kept: sqlite:////path/to/state.db")
        parser.add_argument(
            "--mmdb", metavar="FILE", action="append", dest="mmdb_path", help="a GeoIP database; may be repeated"
        )
    if source:
        parser.add_argument(
            "--trust-files",
            action="store_true",
            default=None,
            help="believe what lies in the data directory, also where all hosts are gone or a newer database is there",
        )
    parser.add_argument("--host", metavar="HOST", action="append", default=[], help="only this host; may be repeated")
    parser.add_argument(
        "--timezone",
        metavar="ZONE",
        help="the time zone of the months, by name or as TZ has it (default: the machine's)",
    )
    parser.add_argument("--config", metavar="FILE", help="the configuration file")
    parser.add_argument("--log-level", metavar="LEVEL", help="debug, info, warning or error")


def _of_screen(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-color", action="store_true", help="draw without colours (as NO_COLOR does)")
    parser.add_argument("--theme", metavar="NAME", help="the colours; a name that there is not is told with all others")
    parser.add_argument("--ascii", action="store_true", default=None, help="draw with ASCII signs alone")
    parser.add_argument(
        "--no-mouse",
        action="store_false",
        default=None,
        dest="mouse",
        help="leave the mouse to the terminal, for selecting text",
    )


def _of_engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--trust-clock",
        action="store_true",
        help="your word that this machine's clock is right; where it is in doubt, no month is closed and nothing is "
        "pruned before it has proved itself",
    )


def _with_command(arguments: list[str]) -> list[str]:
    """The arguments with their command first; `screen` where they name none."""
    if arguments and arguments[0] in ("-h", "--help", "--version"):
        return arguments
    takes_value = ("--state", "--mmdb", "--host", "--timezone", "--config", "--log-level", "--theme")
    for index, argument in enumerate(arguments):
        is_value = index > 0 and arguments[index - 1] in takes_value
        if argument in (*COMMANDS, "screen") and not is_value:
            return [argument, *arguments[:index], *arguments[index + 1 :]]
    _refuse_misspelt(arguments[:1])
    return ["screen", *arguments]


def _refuse_misspelt(arguments: list[str]) -> None:
    """A word that is nearly a command, and no path, is not taken for the name of a data directory."""
    for word in arguments:
        near = difflib.get_close_matches(word, COMMANDS, n=1)
        if near and os.sep not in word and not os.path.exists(word):
            raise UsageError(f"There is no command {clean(word)}.", f"Did you mean headcount {near[0]}?")


def _flags(asked: argparse.Namespace) -> dict[str, object]:
    names = ("source", "state", "mmdb_path", "timezone", "log_level", "theme", "ascii", "mouse", "trust_files")
    return {name: getattr(asked, name, None) for name in names}
