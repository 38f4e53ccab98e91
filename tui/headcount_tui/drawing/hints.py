"""What an empty or half-known table says: why it is so, and what would change it."""

from headcount.figures.totals import Share
from headcount.snapshot import Phase
from headcount_tui.asked.shown import Shown, Tab, known

NO_ADDRESSES = "Places are unknown because Prosody does not log addresses: set lastlog_ip_address = true"
NO_DATABASE = "Places are unknown because no GeoIP database was found: set mmdb_path"
NO_CLIENTS = "Clients are unknown because Prosody keeps no resources: load Headcount's companion module to record them"
NONE = Share(0)
_BOTH = "where its users were, and which clients they used, but not who of them did both"


def empty(shown: Shown) -> str:
    """What stands in a table without rows."""
    whole = shown.whole
    if whole.phase is Phase.WAITING and not whole.hosts:
        return f"Waiting for {whole.source}: there is nothing to read yet."
    if whole.phase is Phase.SCANNING and not whole.hosts:
        return "Reading: the first figures come in a moment."
    if not whole.hosts:
        return f"No host was found in {whole.source}. A host appears with its first user who logs in."
    if not shown.cut.hosts:
        return f"Unknown host {shown.asked.filter.value('host')}. Escape removes the filter."
    if is_apart(shown):
        return apart(shown)
    if whole.anonymity is not None:
        return f"In {shown.month} there is nobody here, or a group of fewer than {whole.anonymity} users."
    if any(term.field != "month" for term in shown.asked.filter.terms):
        return f"Nobody in {shown.month} passes these filters. Escape removes the last one."
    return f"No user was seen in {shown.month}."


def no_lines(shown: Shown, is_drawn: bool) -> str:
    """Why the trend has no lines; empty where it has."""
    if not shown.cut.hosts:
        return empty(shown)
    if is_drawn:
        return ""
    if shown.whole.anonymity is not None:
        return "The past is withheld where figures are k-anonymous."
    if shown.whole.history.points and not shown.cut.history.points:
        return "The past is kept by host, country and client only: it is not known under these filters."
    if not shown.is_current:
        return f"Nothing was noted up to the end of {shown.month}: the history begins when Headcount does."
    return "The history begins when Headcount does: the first line comes with the second hour."


def is_apart(shown: Shown) -> bool:
    """Whether the table is not known because the month has only two lists: places, and clients."""
    if shown.asked.tab is Tab.MONTHS:
        return False
    if shown.counts is None:
        return bool(left_out(shown))
    margin = shown.counts.clients if shown.asked.tab is Tab.CLIENTS else shown.counts.places
    return margin is None


def left_out(shown: Shown) -> list[str]:
    """The hosts shown that have the month, but of which the filter cannot be answered."""
    whole = shown.whole.hosts
    return [
        host
        for host, counts in shown.cut.hosts.items()
        if shown.month in whole[host].months and shown.month not in counts.months
    ]


def apart(shown: Shown) -> str:
    """Why a month of two lists says nothing under this filter."""
    return f"{shown.month} was imported and says {_BOTH}: under this filter the table is not known."


def hint(shown: Shown) -> str:
    """One line under a table that lacks something; empty where there is nothing to teach."""
    if missing := left_out(shown):
        hosts = missing[0] if len(missing) == 1 else f"{len(missing)} hosts"
        return f"Without {hosts}: what was imported there cannot answer this filter."
    share = known(shown)
    if shown.asked.filter.value("country") == "?" or shown.asked.filter.value("client") == "?":
        return ""
    if shown.asked.tab in (Tab.COUNTRIES, Tab.PLACES, Tab.MAP) and share.places == NONE:
        return NO_ADDRESSES if shown.whole.geo else NO_DATABASE
    if shown.asked.tab is Tab.CLIENTS and share.clients == NONE:
        return NO_CLIENTS
    return ""
