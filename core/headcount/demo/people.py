"""The demo's people: who they are, where they live, what they use and how often; all drawn from a seed."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from string import ascii_letters, ascii_uppercase, digits
from typing import NamedTuple
from zlib import crc32

from headcount.demo.hosts import HOSTS, Host
from headcount.demo.places import Spot, somewhere

DAY = 86_400.0
_OLDEST = 913 * DAY  # two and a half years: the server's own age
_HEX = "0123456789abcdef"

_NAMES = (
    "ada", "aino", "alan", "amélie", "ana", "andrea", "anna", "arif", "ayşe", "barbara", "björn", "bruno",
    "carla", "chen", "chloé", "clara", "daniel", "david", "dörte", "edsger", "elena", "emil", "emma", "erik",
    "eva", "fatima", "felix", "finn", "frances", "grace", "hanna", "hedy", "henrik", "ines", "ivan", "jan",
    "jelena", "joão", "jonas", "josé", "juan", "jun", "karim", "katja", "ken", "lars", "lea", "leïla", "lena",
    "linus", "luca", "łukasz", "maria", "margaret", "marta", "mateo", "max", "mia", "mika", "miloš", "nadia",
    "nina", "noah", "o.hara", "olga", "omar", "oskar", "paul", "petra", "pierre", "priya", "radia", "rosa",
    "sami", "sara", "sofia", "søren", "tim", "tomás", "ulla", "vera", "wei", "xenia", "yuki", "yusuf", "zoë",
    "дмитро", "мария", "ελένη", "山田", "日本", "美咲", "민준", "小明", "נועה", "ليلى",
)  # fmt: skip
_TAGS = ("xmpp", "home", "work", "phone", "dev", "cat", "bike", "radio", "tea", "linux", "music", "42")


class App(NamedTuple):
    """A client program: its `weight` among people, the usual length of a session in hours.

    Its resource is `prefix` and `length` characters of `alphabet`.
    """

    weight: int
    hours: float
    prefix: str
    length: int = 0
    alphabet: str = _HEX


_LETTERS = ascii_letters + digits
APPS = (
    App(34, 9.0, "Conversations.", 4, _LETTERS),
    App(5, 9.0, "Cheogram.", 4, _LETTERS),
    App(4, 9.0, "Snikket.", 4, _LETTERS),
    App(2, 9.0, "Quicksy.", 4, _LETTERS),
    App(2, 6.0, "yaxim.", 8),
    App(10, 5.0, "Monal-iOS.", 8),
    App(4, 5.0, "Monal-macOS.", 8),
    App(12, 4.0, "gajim.", 8, ascii_uppercase + digits),
    App(9, 4.0, "dino.", 8),
    App(2, 4.0, "Kaidan.", 4, _LETTERS),
    App(3, 7.0, "profanity.", 4, _LETTERS),
    App(2, 4.0, "tower"),  # Psi, which gives the machine's name
    App(1, 9.0, "poezio-", 4, _LETTERS),
    App(4, 0.7, "converse.js-", 8, digits),
    App(2, 0.7, "movim", 16, _LETTERS),
    App(2, 2.0, "home"),
    App(1, 12.0, "bot-", 3, digits),
    App(1, 2.0, "", 22, _LETTERS),
)


class Device(NamedTuple):
    """A program on a device, by the resource that it binds."""

    resource: str
    app: App


class Habit(NamedTuple):
    """How likely a person comes on a day, and how often on such a day."""

    day_chance: float
    logins: float


_HABITS = (Habit(0.88, 1.2), Habit(0.24, 1.2), Habit(0.035, 1.0))
_HABIT_WEIGHTS = (18, 42, 40)


@dataclass(frozen=True, slots=True)
class Person:
    """One account's owner. `joined` and `left` (mostly never) in Unix seconds."""

    host: Host
    user: str
    joined: float
    left: float
    habit: Habit
    home: Spot
    device: Device

    def in_month(self, month: str) -> tuple[Spot, Device]:
        """Where the person is in a month, and with what: now and then abroad, more seldom on a new device.

        It hangs on the month alone, so that a month's later logins come from where its first one came.
        """
        dice = crc32(f"{month} {self.user} {self.home.address} {self.device.resource}".encode())
        spot, device = self.home, self.device
        if dice % 20 == 0:
            spot = somewhere(Random(dice))  # noqa: S311 - a game of chance, not a secret
        if dice % 33 == 0:
            device = draw_device(Random(dice))  # noqa: S311 - the same
        return spot, device


def population(rng: Random, size: int, now: float) -> Iterator[Person]:
    """`size` people who joined one by one up to `now`; about a third of them lost interest after a while."""
    taken: set[tuple[str, str]] = set()
    for _ in range(size):
        joined = now - _OLDEST * rng.random()
        left = joined + rng.expovariate(1 / (200 * DAY)) if rng.random() < 0.35 else math.inf
        yield draw_person(rng, taken, joined, left)


def draw_person(rng: Random, taken: set[tuple[str, str]], joined: float, left: float = math.inf) -> Person:
    """A new person with a name that is not `taken` on the host; it is then."""
    host = rng.choices(HOSTS, [host.share for host in HOSTS])[0]
    user = _draw_name(rng)
    while (host.name, user) in taken:
        user = f"{_draw_name(rng)}{rng.randrange(2, 1000)}"
    taken.add((host.name, user))
    habit = rng.choices(_HABITS, _HABIT_WEIGHTS)[0]
    return Person(host, user, joined, left, habit, somewhere(rng), draw_device(rng))


def draw_device(rng: Random) -> Device:
    """A client by its weight, with a resource in its own shape."""
    app = rng.choices(APPS, _APP_WEIGHTS)[0]
    return Device(app.prefix + "".join(rng.choices(app.alphabet, k=app.length)), app)


_APP_WEIGHTS = [app.weight for app in APPS]


def _draw_name(rng: Random) -> str:
    """A localpart as people choose them, with all the characters that file names must escape."""
    name = rng.choice(_NAMES)
    tag = rng.choice(_TAGS)
    shapes = (name, name, f"{name}.{tag}", f"{name}_{tag}", f"{name}-{tag}", f"{name}+{tag}", f"{tag}{name}")
    return rng.choice(shapes)
