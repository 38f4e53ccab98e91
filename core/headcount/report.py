"""One report: the source and the state as of a moment, narrowed to what is asked, in the form that is asked."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from headcount.anonymity import told
from headcount.errors import PERMISSION_DENIED, HeadcountError, NoDataError, UsageError, no_permission
from headcount.filters import Filter
from headcount.months import is_month, month_of
from headcount.outputs.as_csv import to_csv
from headcount.outputs.as_html import to_html
from headcount.outputs.as_json import to_json
from headcount.outputs.as_table import to_table
from headcount.run import open_run
from headcount.settings import Settings
from headcount.snapshot import UNKNOWN, Snapshot
from headcount.text import clean


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a report, as written: a time, a host, a month, a country, a client; None for all.

    `k_anonymous` asks for what may leave the machine, with the settings' `min_count`; else every figure is exact. What
    is not `local` is a file for somebody: exact or not, it names no file that has a problem, and so no user.
    """

    at: str | None = None
    host: str | None = None
    month: str | None = None
    country: str | None = None
    client: str | None = None
    k_anonymous: bool = False
    local: bool = True


def answer(settings: Settings, environment: Mapping[str, str], question: Question, form: str) -> str:
    """The report's text in the form `table`, `json`, `csv` or `html`. Reads the source and the state, writes neither.

    Raises UsageError for what cannot be asked, NoDataError where there is nothing to count.
    """
    if question.month is not None and not is_month(question.month):
        raise UsageError(f"{clean(question.month)} is not a month.", "Write it as YYYY-MM.")
    if question.client == "":
        raise UsageError("No client has an empty name.", "Write ? for the users whose client is unknown.")
    country = _country(question.country)
    now = None if question.at is None else _moment(question.at, ZoneInfo(settings.zone_name()))
    with open_run(settings, environment, keep="never", now=now) as run:
        run.require_source()
        snapshot = run.engine.read_once()
    if not snapshot.hosts:
        raise _nothing(snapshot)
    if question.host is not None and question.host not in snapshot.hosts:
        near = difflib.get_close_matches(question.host, snapshot.hosts, n=1) or list(snapshot.hosts)[:5]
        raise UsageError(f"There is no host {clean(question.host)}.", f"There is {', '.join(near)}.")
    asked = Filter().having("host", question.host).having("country", country).having("client", question.client)
    min_count = settings.min_count if question.k_anonymous else None
    shown = told(snapshot, asked.having("month", question.month), min_count, is_local=question.local)
    return render(shown, form, question.month)


def render(snapshot: Snapshot, form: str, month: str | None = None) -> str:
    """A snapshot as text that ends with a newline."""
    match form:
        case "json":
            return to_json(snapshot) + "\n"
        case "csv":
            return to_csv(snapshot)
        case "html":
            return to_html(snapshot, month)
        case _:
            return to_table(snapshot, month)


def _nothing(snapshot: Snapshot) -> HeadcountError:
    """Why there is not one host to report of."""
    for problem in snapshot.problems:
        if problem.why == PERMISSION_DENIED:
            return no_permission(f"{snapshot.source}: {problem.example}")
    return NoDataError(
        f"No users are recorded in {snapshot.source}.",
        'Let the server record logins: add "lastlog2" to modules_enabled in prosody.cfg.lua.',
    )


def _country(text: str | None) -> str | None:
    if text is None or text == UNKNOWN:
        return text
    if len(text) != 2 or not text.isascii() or not text.isalpha():
        raise UsageError(f"{clean(text)} is not a country.", "Write its ISO code, such as DE, or ? for unknown.")
    return text.upper()


def _moment(text: str, zone: ZoneInfo) -> float:
    """Unix seconds of a time as ISO 8601 (in the report's zone where it names none) or as Unix seconds."""
    try:
        when = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise UsageError(
                f"{clean(text)} is not a time.", "Write it as 2026-11-22T04:32:00Z or in Unix seconds."
            ) from None
        when = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
    if not when > 0 or month_of(when, zone) is None:
        raise UsageError(f"{clean(text)} is not a time that has a date.")
    return when
