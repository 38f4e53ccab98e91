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
    """What two stores say of the same user. Of two logins, or logouts, the newer one is the last; the older one tells
    something too, unless they are of the same second."""
    login, login_ip, logout, logout_ip, seen, logins, more = one
    its_login, its_login_ip, its_logout, its_logout_ip, its_seen, its_logins, its_more = other
    if its_login and its_login != login:
        if login > its_login:
            more = (*more, (its_login, "login", its_login_ip))
        else:
            more = (*more, (login, "login", login_ip)) if login else more
            login, login_ip = its_login, its_login_ip
    elif its_login:
        login_ip = login_ip or its_login_ip
    if its_logout and its_logout != logout:
        if logout > its_logout:
            more = (*more, (its_logout, "logout", its_logout_ip))
        else:
            more = (*more, (logout, "logout", logout_ip)) if logout else more
            logout, logout_ip = its_logout, its_logout_ip
    elif its_logout:
        logout_ip = logout_ip or its_logout_ip
    return login, login_ip, logout, logout_ip, max(seen, its_seen), logins + its_logins, more + its_more


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
