"""Which stores the simulated server keeps for an account, and when it writes them."""

import os
from collections import Counter
from collections.abc import Iterable

from headcount.clients.patterns import ClientPatterns
from headcount.demo.accounts import Account
from headcount.demo.files import DataDirectory
from headcount.demo.hosts import COMPONENT, HOSTS, Host
from headcount.demo.places import Town
from headcount.months import shift


class Stores:
    """All stores of all hosts in one data directory, as they are kept since `this_month` (`YYYY-MM`)."""

    def __init__(self, directory: str | os.PathLike[str], this_month: str) -> None:
        self._files = DataDirectory(directory)
        self._since = {host: shift(this_month, 1 - host.recorded_months) for host in HOSTS}

    @property
    def written(self) -> int:
        """How many files were put in place."""
        return self._files.written

    def write_activity(self, account: Account, when: float) -> None:
        """Write what is known of the account's last events."""
        host, user = account.person.host, account.person.user
        for store in host.activity:
            if table := account.activity(store):
                self._files.write(host.name, store, user, table, when)

    def write_records(self, account: Account) -> None:
        """Write the account's login records, where there are any."""
        host, user = account.person.host, account.person.user
        if records := account.recorded(self._since[host]):
            newest = max(visit.when for visit in account.visits.values())
            self._files.write(host.name, "login_records", user, records, newest)

    def write_monthly_visitors(self, accounts: Iterable[Account]) -> None:
        """Write what mod_monthly_visitors counted, in its flat shape, before there were login records."""
        counts: dict[Host, dict[str, Counter[str]]] = {}
        newest = 0.0
        patterns = ClientPatterns.configured()
        for account in accounts:
            host, user = account.person.host, account.person.user
            months = self._counted_months(account)
            for month in months:
                visit = account.visits[month]
                keys = (_geo_key(visit.spot.town), f"client-{patterns.client(visit.device.resource)}")
                counts.setdefault(host, {}).setdefault(month, Counter()).update(keys)
            if months:
                when = account.visits[months[-1]].when
                newest = max(newest, when)
                self._files.write(host.name, "monthly-visitors", user, {"last-recorded": months[-1]}, when)
        for host, by_month in counts.items():
            self._files.write(host.name, "monthly-visitors", None, by_month, newest)

    def write_room(self, when: float) -> None:
        """Write what mod_lastlog2 leaves on a component: a string where a table should be."""
        self._files.write(COMPONENT, "lastlog2", "room1", {COMPONENT: "message"}, when)

    def remove(self, account: Account, when: float) -> None:
        """Remove all that is kept of an account, save for its part in what mod_monthly_visitors counted."""
        host, user = account.person.host, account.person.user
        stores = [store for store in host.activity if account.activity(store)]
        if account.recorded(self._since[host]):
            stores.append("login_records")
        if self._counted_months(account):
            stores.append("monthly-visitors")
        for store in stores:
            self._files.remove(host.name, store, user, when)

    def _counted_months(self, account: Account) -> list[str]:
        since = self._since[account.person.host]
        return [month for month in account.visits if month < since]


def _geo_key(town: Town | None) -> str:
    if town is None:
        return "geo-?-?-?"
    return f"geo-{town.country}-{town.subdivision or '?'}-{town.city or '?'}"
