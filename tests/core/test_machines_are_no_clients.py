"""No name that people give to machines and devices is taken for a client: a wrong client is worse than none."""

from itertools import chain, product
from random import Random
from string import ascii_lowercase, ascii_uppercase, digits

from headcount.clients.patterns import ClientPatterns, default_patterns

CONSTANTS = {"irssi-xmpp", "emacs", "tkabber", "barnowl", "BitlBee"}
"""What no other shape tells of: these five words are their clients', whoever else may use them."""

CLIENTS = (
    "conversations", "quicksy", "cheogram", "snikket", "monocles", "blabber", "yaxim", "bruno", "xabber", "atalk",
    "zom", "chatsecure", "monal", "siskin", "dino", "gajim", "kaidan", "psi", "pidgin", "finch", "jitsi",
    "miranda", "spark", "fluux", "profanity", "poezio", "mcabber", "bitlbee", "irssi", "emacs", "tkabber",
    "barnowl", "sendxmpp", "converse", "movim", "jsxc", "libervia", "swift", "adium",
)  # fmt: skip
PEOPLE = (
    "anna", "alice", "amélie", "bob", "björn", "carla", "chloé", "dino", "emma", "erik", "felix", "grace",
    "hanna", "ivan", "jürgen", "josé", "karim", "lena", "luca", "maria", "mia", "miranda", "mona", "noah", "olga",
    "omar", "paul", "petra", "pia", "psyche", "sami", "sparky", "tim", "ulla", "vera", "wei", "zoë", "zomer",
    "美咲", "мария",
)  # fmt: skip
WORDS = (
    "apple", "aurora", "badger", "banana", "basement", "beacon", "bedroom", "box", "bridge", "cabin", "cafe",
    "castle", "cedar", "comet", "coral", "desk", "dinosaur", "dragon", "eagle", "falcon", "family", "forest",
    "galaxy", "garage", "garden", "gateway", "gemini", "hobbit", "home", "intern", "iris", "jupiter", "kitchen",
    "lab", "laptop", "library", "lion", "lounge", "maple", "mars", "media", "mercury", "monitor", "moon",
    "mordor", "nas", "nebula", "neptune", "nimbus", "nova", "oak", "office", "olive", "orion", "owl", "panda",
    "penguin", "phoenix", "pine", "pluto", "printer", "raven", "river", "robot", "rocket", "router", "saturn",
    "server", "shadow", "sparrow", "sparkle", "spider", "storage", "studio", "tablet", "test", "thunder", "tiger",
    "titan", "tower", "turtle", "venus", "violet", "web", "willow", "windows", "winter", "wolf", "work", "zebra",
    "zephyr", "zombie", "monalisa", "psilocybin", "pidgins", "spark-plug", "conversation", "profane", "movie",
)  # fmt: skip
MODELS = (
    "MacBook-Pro", "MacBook-Air", "Mac-mini", "iMac", "iPhone", "iPad", "iPod", "Apple-Watch", "ThinkPad",
    "XPS-13", "Surface", "Pixel-7", "Galaxy-S23", "Galaxy-Tab", "Fairphone-5", "OnePlus-9", "Redmi-Note",
    "Moto-G", "Nokia-3310", "PC", "Laptop", "Desktop", "Notebook", "Chromebook", "Raspberry-Pi", "NAS",
    "Steamdeck", "Phone", "Tablet",
)  # fmt: skip
DOMAINS = (
    "lan", "local", "home", "corp", "intern", "internal", "localdomain", "fritz.box", "home.arpa", "speedport.ip",
    "box", "example.org", "example.com", "office.example.net", "wlan", "wifi", "work", "host", "test", "site",
    "info", "name", "de", "org", "net", "im", "eu", "chat", "cloud",
)  # fmt: skip
PLACES = (
    "server", "desktop", "laptop", "office", "home", "desk", "work", "web", "mini", "phone", "tablet", "pc",
    "box", "vm", "node", "macbook", "wifi", "host", "test",
)  # fmt: skip
HEX = "0123456789abcdef"
ALPHANUMERIC = ascii_lowercase + digits
CAPITALS = ascii_uppercase + digits
MANY = 10_000


def written(word: str) -> tuple[str, str, str]:
    return word, word.capitalize(), word.upper()


def owned() -> set[str]:
    """Devices by the name of who has them, as phones and Macs are called in several tongues."""
    phrases = ("{}s-{}", "{}'s {}", "{}’s {}", "{}-{}", "{} {}", "{}_{}")
    turned = ("{} von {}", "{} de {}", "{} of {}", "{} van {}", "{}-de-{}", "{} ({})")
    names = [name.capitalize() for name in (*PEOPLE, *CLIENTS)]
    return {phrase.format(*pair) for phrase in phrases for pair in product(names, MODELS)} | {
        phrase.format(model, name) for phrase in turned for model, name in product(MODELS, names)
    }


def named() -> set[str]:
    """Words, clients' among them, alone, with domains (in small letters), rooms and purposes, and numbers."""
    plain = (*WORDS, *CLIENTS, *PEOPLE)
    words = list(chain.from_iterable(map(written, plain)))
    domains = {f".{end}" for end in (*DOMAINS, *PLACES, "pc01", "nas2", 2024)}
    ends = {f"{sep}{place}" for sep in "-_ " for place in PLACES}
    numbers = {f"{sep}{n}" for sep in ("", *"-_ ") for n in (1, 2, 3, 7, "01", "02", 10, 42, 99, 365, "pc01", 2024)}
    return {*words, *map("".join, product(words, ends | numbers)), *map("".join, product(plain, domains))}


def numbered(rng: Random) -> set[str]:
    """What systems, routers and DHCP servers call a machine by themselves; words with longer numbers."""

    def chance(alphabet: str, length: int) -> str:
        return "".join(rng.choices(alphabet, k=length))

    found: set[str] = set()
    for _ in range(500):
        a, b, c, d = (rng.randrange(256) for _ in range(4))
        found |= {
            f"DESKTOP-{chance(CAPITALS, 7)}",
            f"LAPTOP-{chance(CAPITALS, 8)}",
            f"WIN-{chance(CAPITALS, 11)}",
            f"desktop-{chance(ALPHANUMERIC, 6)}",
            f"web-{chance(ALPHANUMERIC, 6)}",
            f"ip-{a}-{b}-{c}-{d}",
            f"ip-{a}-{b}-{c}-{d}.eu-central-1.compute.internal",
            f"dhcp-{a}-{b}.example.edu",
            f"dhcp{a}",
            f"host-{chance(HEX, 8)}",
            f"android-{chance(HEX, 16)}",
            f"vm-{chance(HEX, 4)}",
            f"localhost-{a}",
            f"{chance(HEX, 12)}",
            f"SM-{chance(CAPITALS, 5)}",
            f"{rng.choice(WORDS)}{rng.randrange(10_000)}",
            f"{rng.choice(CLIENTS)}{rng.randrange(10_000)}",
            f"{rng.choice(WORDS)}-{chance(HEX, rng.choice((4, 6, 8)))}",
            f"{rng.choice(WORDS)}.{chance(ALPHANUMERIC, rng.choice((4, 6, 8)))}",
            f"{rng.choice(CLIENTS)}-{rng.choice(WORDS)}",
            f"{rng.choice(CLIENTS)}.{rng.choice(WORDS)}.{rng.choice(DOMAINS)}",
        }
    return found


def machine_names() -> list[str]:
    """The same ten thousand of them each time, of every kind, and each client's name in every domain and room."""
    rng = Random("machines")
    every = {*owned(), *named(), *numbered(rng)}
    ends = (*(f".{domain}" for domain in DOMAINS), *(f"-{place}" for place in PLACES))
    of_clients = set(map("".join, product(CLIENTS, ends)))
    kinds = sorted(of_clients), sorted(every - of_clients)
    return [*kinds[0], *rng.sample(kinds[1], MANY - len(kinds[0]))]


def test_of_ten_thousand_machines_none_is_a_client() -> None:
    names = machine_names()
    assert len(set(names)) == MANY
    patterns = ClientPatterns.configured()
    called = {name: client for name in names if (client := patterns.client(name)) != "?"}
    assert {name: client for name, client in called.items() if name not in CONSTANTS} == {}


def test_no_machine_of_any_kind_is() -> None:
    patterns = ClientPatterns.configured()
    every = {*owned(), *named(), *numbered(Random("others"))}
    assert {name for name in every if patterns.client(name) != "?"} <= CONSTANTS


def test_only_five_patterns_match_a_word_that_never_changes() -> None:
    bare = [pattern[1:-1].replace("%-", "-") for pattern, _ in default_patterns()]
    assert {text for text in bare if text.replace("-", "").isalpha()} == CONSTANTS
