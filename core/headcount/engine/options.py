"""How an engine counts, and what it takes from outside: time and randomness, so that tests and replays give them."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import tzinfo

from headcount.engine.machine_clock import is_synchronised, steady_seconds
from headcount.user_keys import Keys


@dataclass(frozen=True, slots=True)
class Options:
    """What is the same for an engine's whole life.

    `clock` gives Unix seconds; `at` (Unix seconds) asks for the figures as of that moment, which is what `clock` gives
    then: what came after it is left out. `trust_clock` is the operator's word that the clock is right at the start,
    `is_synchronised` tells whether the system says so. `ticks` gives seconds for intervals, whatever the clock is set
    to, `new_key` 32 random bytes. Fresh logins are held back for `settle` seconds. `countries` are the ISO codes of
    those recorded, None for all; `keep_months` is how many months, the current one among them, are kept, None for all.
    `keys` are those of the users, the same that the source gives. `stamp` tells from others by which settings it is
    counted.
    """

    zone: tzinfo
    zone_name: str
    countries: frozenset[str] | None = None
    keep_months: int | None = None
    count_open_sessions: bool = False
    settle: float = 5.0
    clock: Callable[[], float] = time.time
    at: float | None = None
    ticks: Callable[[], float] = steady_seconds
    is_synchronised: Callable[[], bool] = is_synchronised
    trust_clock: bool = False
    stamp: str = ""
    keys: Keys = field(default_factory=Keys)
    new_key: Callable[[], bytes] = lambda: secrets.token_bytes(32)
