"""The demo's hosts: how large they are and which stores their server keeps."""

from typing import NamedTuple

ALL_MONTHS = 25  # this month and the two years before it, so that each has an earlier year beside it


class Host(NamedTuple):
    """A VirtualHost. `share` of all accounts; `activity` stores; months since login records are kept.

    Older months than those are there as mod_monthly_visitors counted them, in its flat shape.
    """

    name: str
    share: int
    activity: tuple[str, ...] = ("lastlog2",)
    recorded_months: int = ALL_MONTHS


HOSTS = (
    Host("example.com", 6),
    Host("chat.example.org", 3, ("lastlog2", "lastlog"), recorded_months=7),
    Host("bücher.example", 1, ("account_activity",)),  # as Prosody 13 does: no kinds, no addresses
)
COMPONENT = "conference.example.com"
