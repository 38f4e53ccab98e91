"""One report: the source and the state as of a moment, narrowed to what is asked, in the form that is asked."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from headcount.clients.patterns import client_names
from headcount.engine.assemble import open_run, running_engines
from headcount.errors import PERMISSION_DENIED, HeadcountError, NoDataError, UsageError, no_permission
from headcount.figures.anonymity import to_report
from headcount.figures.filter_language import Known, Value, known, value_of
from headcount.figures.filters import Field, Filter, only_hosts
from headcount.figures.totals import AT_LEAST
from headcount.months import month_of
from headcount.outputs.as_csv import to_csv
from headcount.outputs.as_html import to_html
from headcount.outputs.as_json import to_json
from headcount.outputs.as_table import to_table
from headcount.settings import Settings
from headcount.snapshot import HostCounts, Snapshot
from headcount.text import clean
from headcount.zones import zone_of

log = logging.getLogger("headcount")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a report, as written: a time, hosts, a month, a country, a client; None or no host for all.

    `k_anonymous` asks for what may leave the machine, with the settings' `min_count`; else every figure is exact. What
    is not `local` is a file for somebody: exact or not, it names no file that has a problem, and so no user. `reads`
    asks for a reading of the source even where a running engine has the figures.
    """

    at: str | None = None
    hosts: Sequence[str] = ()
    month: str | None = None
    country: str | None = None
    client: str | None = None
    k_anonymous: bool = False
    local: bool = True
    reads: bool = False


def answer(settings: Settings, environment: Mapping[str, str], question: Question, form: str) -> str:
    """The report's text in the form `table`, `json`, `csv` or `html`: of a running engine's figures where there is one
    that counts the same, else of what the source and the state say now. Writes neither.

    Raises UsageError for what cannot be asked, NoDataError where there is nothing to count.
    """
    at = None if question.at is None else _moment(question.at, zone_of(settings.zone_name()))
    found = None if at is not None or question.reads else running_engines(settings, environment)
    if found is not None:
        log.info("these are the figures of the engine that runs; --read reads the server's files again")
        snapshot, there = found
    else:
        with open_run(settings, environment, keep="never", at=at) as run:
            snapshot, there = run.read(), frozenset(run.source.hosts())
    if not snapshot.hosts:
        raise _nothing(snapshot)
    of = _known(snapshot, settings)
    hosts = hosts_asked(question.hosts, snapshot, there)
    nobody = {host: HostCounts() for host in hosts if host not in snapshot.hosts}
    asked = Filter()
    terms: tuple[tuple[Field, str | None], ...] = (
        ("country", question.country),
        ("client", question.client),
        ("month", question.month),
    )
    for name, typed in terms:
        asked = asked.having(name, None if typed is None else value_of(name, typed, of))
    min_count = settings.min_count if question.k_anonymous else None
    shown = to_report(replace(snapshot, hosts={**snapshot.hosts, **nobody}), asked, min_count, is_local=question.local)
    shown = only_hosts(shown, hosts) if hosts else shown
    if shown.active_at_least and form in ("json", "csv"):
        log.warning(AT_LEAST)
    return render(shown, form, asked.value("month"))


def hosts_asked(typed: Sequence[str], snapshot: Snapshot, there: Collection[str]) -> list[str]:
    """The hosts that are meant, each once. Raises UsageError for one that is neither counted nor `there`."""
    names = [*sorted(snapshot.hosts), *sorted({*there} - snapshot.hosts.keys())]
    of = Known({"host": tuple(map(Value, names))})
    return list(dict.fromkeys(value_of("host", host, of) for host in typed))


def _known(snapshot: Snapshot, settings: Settings) -> Known:
    """What can be asked for: what the snapshot knows, and the clients that may be found but were not."""
    of = known(snapshot, Filter())
    found = [value.value for value in of.values.get("client", ())]
    listed = client_names(settings.client_patterns, default=settings.default_client_patterns)
    return replace(of, values={**of.values, "client": tuple(map(Value, dict.fromkeys((*found, *listed))))})


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
