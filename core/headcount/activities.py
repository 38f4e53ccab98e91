"""When one user was active, flat: as plain tuples, for there may be millions, and another process may send them.

This file imports next to nothing, so that a helper process begins at once.
"""

from collections.abc import Iterable
from typing import Final, Literal

Kind = Literal["login", "logout", "seen"]

Activity = tuple[float, Kind, str | None]
"""One login or logout of one user at one second; `seen` where the server does not tell which: the moment (Unix seconds,
above zero, may be infinite), the kind, and the address that was logged, unchecked."""

Login = tuple[float, str | None, str | None]
"""A login record, the first login of one user in one month: the moment (as in `Activity`), the address, which may be a
network prefix such as 203.0.113.0/24, and the resource."""

Activities = tuple[float, str | None, float, str | None, float, tuple[Login, ...], tuple[Activity, ...]]
"""The last login and its address, the last logout and its address, when the user was last seen (0 where there was none
of a kind), the login records, and more activities: those that have no place there."""

NOTHING: Final[Activities] = (0, None, 0, None, 0, (), ())


def together(one: Activities, other: Activities) -> Activities:
    """What two stores say of the same user."""
    login, login_ip, logout, logout_ip, seen, logins, more = one
    its_login, its_login_ip, its_logout, its_logout_ip, its_seen, its_logins, its_more = other
    login, login_ip, older_login = _last("login", login, login_ip, its_login, its_login_ip)
    logout, logout_ip, older_logout = _last("logout", logout, logout_ip, its_logout, its_logout_ip)
    more = (*more, *older_login, *older_logout, *its_more)
    return login, login_ip, logout, logout_ip, max(seen, its_seen), logins + its_logins, more


def _last(
    kind: Kind, when: float, ip: str | None, its_when: float, its_ip: str | None
) -> tuple[float, str | None, tuple[Activity, ...]]:
    """The newer of two logins, or logouts (0 where there was none), with its address; and the older one, which tells
    something too unless they are of the same second."""
    if when == its_when:
        return when, ip or its_ip, ()
    if when < its_when:
        return its_when, its_ip, ((when, kind, ip),) if when else ()
    return when, ip, ((its_when, kind, its_ip),) if its_when else ()


def flat(activities: Iterable[Activity], logins: Iterable[Login] = ()) -> Activities:
    """Some activities and login records, flat."""
    flat_one: Activities = (0, None, 0, None, 0, tuple(logins), ())
    for when, kind, address in activities:
        if kind == "login":
            flat_one = together(flat_one, (when, address, 0, None, 0, (), ()))
        elif kind == "logout":
            flat_one = together(flat_one, (0, None, when, address, 0, (), ()))
        elif address is None:
            flat_one = together(flat_one, (0, None, 0, None, when, (), ()))
        else:
            flat_one = together(flat_one, (0, None, 0, None, 0, (), ((when, kind, address),)))
    return flat_one
