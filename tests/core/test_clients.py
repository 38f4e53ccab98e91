"""A resource becomes a client: the first Lua pattern that matches, exactly as Lua matches."""

import importlib.resources
import shutil
import subprocess
import time
import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from headcount.clients.lua_patterns import longest_text, read_pattern
from headcount.clients.patterns import CACHE_SIZE, ClientPatterns, default_patterns
from headcount.errors import UsageError

REAL_RESOURCES = {
    # as their clients make them, and as Prosody does from the tag that they give (Bind 2)
    "Conversations.x7Qp": "Conversations",
    "Conversations.-_a1": "Conversations",
    "Conversations~pFq0dVhS8kUm": "Conversations",
    "Conversations~p+q0dV/S8kUm": "Conversations",
    "Conversations~pFq0dVhS8kUm_-q0dVhS8kUm": "Conversations",
    "Quicksy.ab-_": "Quicksy",
    "Quicksy-iOS.1f2e3d4c": "Quicksy iOS",
    "Cheogram.Kj2P": "Cheogram",
    "Snikket.gT5d": "Snikket",
    "Snikket~pFq0dVhS8kUm": "Snikket",
    "monocles chat.a1b2": "monocles chat",
    "monocles chat~pFq0dVhS8kUm": "monocles chat",
    "monocles mod.a1b2": "monocles mod",
    "monocles mod~pFq0dVhS8kUm": "monocles mod",
    "blabber.im.Zk3a": "blabber.im",
    "blabber.im[3.1.4].Zk3a": "blabber.im",
    "blabber.im[3.0.2-playstore].Zk3a": "blabber.im",
    "Pix-Art Messenger.Zk3a": "Pix-Art Messenger",
    "yaxim.0A1B2C3D": "yaxim",
    "Bruno.0A1B2C3D": "Bruno",
    "xabber-android-Qm5Tz1xY": "Xabber Android",
    "xabber-android_Qm5Tz1xY": "Xabber Android",
    "xabber-web-1f2e3d4c": "Xabber Web",
    "xabber-web-1f2e3d4c-5b6a-7980": "Xabber Web",
    "atalk-3k5j2na": "aTalk",
    "atalk_1vvvvvv": "aTalk",
    "chatsecure61234": "ChatSecure",
    "Monal-iOS.1f2e3d4c": "Monal iOS",
    "Monal-iOS~pFq0dVhS8kUm": "Monal iOS",
    "Monal-macOS.1f2e3d4c": "Monal macOS",
    "Monal~pFq0dVhS8kUm": "Monal",
    "dino.7c1f2e3d": "Dino",
    "dino~pFq0dVhS8kUm": "Dino",
    "gajim.YB6L0F9Q": "Gajim",
    "Kaidan.a1b2": "Kaidan",
    "jitsi-3k5j2na": "Jitsi",
    "Spark 3.0.2": "Spark",
    "profanity.q7Hz": "Profanity",
    "poezio-9b1d": "Poezio",
    "poezio-a_-1": "Poezio",
    "mcabber.1f2e3d4c": "MCabber",
    "go-sendxmpp.1f2e3d4c": "go-sendxmpp",
    "irssi-xmpp": "irssi-xmpp",
    "emacs": "jabber.el",
    "tkabber": "Tkabber",
    "barnowl": "BarnOwl",
    "BitlBee": "BitlBee",
    "converse.js-21770972": "Converse.js",
    "movimQwErTyUiOpAsDfGh": "Movim",
    "Movim.a1B2c3~pFq0dVhS8kUm": "Movim",
    "jsxc-1f2e3d4c": "JSXC",
    "libervia.kXn4Zc8UqT7vYb2Rw9LmEa": "Libervia",
}


MALFORMED = [
    ("[a", "missing ']'"),
    ("[]", "missing ']'"),
    ("[^]", "missing ']'"),
    ("[a%]", "missing ']'"),
    ("x%", "ends with '%'"),
    ("(", "unfinished capture"),
    ("(()", "unfinished capture"),
    (")", "invalid pattern capture"),
    ("(a))", "invalid pattern capture"),
    ("%1", "invalid capture index %1"),
    ("(%1)", "invalid capture index %1"),
    ("(a)%2", "invalid capture index %2"),
    ("%0", "invalid capture index %0"),
    ("%b", "missing arguments to '%b'"),
    ("%bx", "missing arguments to '%b'"),
    ("%f", "missing '[' after '%f'"),
    ("%fa", "missing '[' after '%f'"),
    ("%f[a", "missing ']'"),
    ("()" * 33, "too many captures"),
]


class TestTheList:
    def test_the_first_match_wins(self) -> None:
        patterns = ClientPatterns([("^a", "first"), ("^ab", "second"), ("b", "third")])
        assert patterns.client("abc") == "first"
        assert patterns.client("cab") == "third"

    def test_none_is_a_question_mark(self) -> None:
        patterns = ClientPatterns([("^a", "A")])
        assert patterns.client("b") == patterns.client("") == patterns.client(None) == "?"
        assert ClientPatterns([]).client("x") == "?"

    def test_the_specs_example(self) -> None:
        assert ClientPatterns([("^Conversations%..*", "ANDROID")]).client("Conversations.x7Qp") == "ANDROID"

    def test_the_operators_list_precedes_the_default_one(self) -> None:
        own = [("^Conversations%..*", "ANDROID")]
        assert ClientPatterns.configured(own).client("Conversations.x") == "ANDROID"
        assert ClientPatterns.configured(own).client("dino.7c1f2e3d") == "Dino"

    def test_or_replaces_it(self) -> None:
        patterns = ClientPatterns.configured([("^Conversations%..*", "ANDROID")], default=False)
        assert patterns.client("Conversations.x") == "ANDROID"
        assert patterns.client("dino.7c1f2e3d") == "?"

    def test_clients_are_cleaned(self) -> None:
        assert ClientPatterns([("a", " A\x1b[31m\n ")]).client("a") == "A\ufffd[31m"

    def test_what_is_remembered_is_bounded(self) -> None:
        patterns = ClientPatterns([("a", "A")])
        for number in range(CACHE_SIZE + 100):
            patterns.client(str(number))
        assert patterns._cached.cache_info().currsize == CACHE_SIZE


class TestDefaultList:
    @pytest.mark.parametrize(("resource", "client"), REAL_RESOURCES.items())
    def test_what_clients_call_themselves(self, resource: str, client: str) -> None:
        assert ClientPatterns.configured().client(resource) == client

    @pytest.mark.parametrize(
        "resource",
        [
            "",
            "?",
            "Alice's laptop",
            "dinosaur",
            "home",
            "psilocybin",
            "1f2e3d4c5b6a",
            # Fluux, whose desktops are called as Windows calls its machines
            "web",
            "desktop",
            "desktop-7m0lds",
            "desktop-office",
            "web-a1b2c3",
            "web-server",
            # Siskin
            "iPhone",
            "iPad",
            "iPhone von Anna",
            # Psi, Psi+, Pidgin, Finch, Miranda NG, Zom: never more than a word
            "Psi",
            "Psi+",
            "Pidgin",
            "Pidgins-PC",
            "Miranda",
            "Mirandas-MacBook-Pro",
            "Zom",
            "Zombie",
            "ChatSecure",
            # clients' names as machines' names
            "Conversations",
            "Gajim",
            "gajim.lan",
            "dino.fritz.box",
            "dino.lan",
            "dino.1234",
            "dino~1",
            "profanity",
            "profanity.home",
            "poezio-desk",
            "mcabber",
            "mcabber.example.org",
            "BitlBee2",
            "Monalisa",
            "Sparkle",
            "Spark",
            "libervia.org",
            "movim.eu",
            "movim-server",
            "jsxc",
            "jitsi-desktop",
            "jitsi-videobridge",
            "atalk-server",
            "emacs2",
            "xabber-android-tablet",
            "converse.js-2",
        ],
    )
    def test_what_tells_nothing_stays_unknown(self, resource: str) -> None:
        assert ClientPatterns.configured().client(resource) == "?"

    def test_every_entry_is_reached_by_a_real_resource(self) -> None:
        """An entry behind a wider one would never be."""
        patterns = default_patterns()
        reached = {ClientPatterns.configured().client(resource) for resource in REAL_RESOURCES}
        assert {client for _, client in patterns} == reached | {"?"}
        assert len(set(patterns)) == len(patterns)

    def test_all_are_anchored_and_quick(self) -> None:
        for pattern, _ in default_patterns():
            shape = read_pattern(pattern.encode())
            assert shape.anchored
            assert pattern.endswith("$")
            assert longest_text(shape, 1023) == 1023

    def test_each_client_says_where_its_shape_was_seen(self) -> None:
        text = (importlib.resources.files("headcount") / "data" / "clients.toml").read_text("utf-8")
        entries = tomllib.loads(text)["client_patterns"]
        assert {entry["pattern"] for entry in entries if not entry.get("seen")} == {
            entry["pattern"] for entry in entries if entry["client"] == "?"
        }


class TestMalformed:
    """A pattern that is not one is refused when the list is made, with its position and Lua's reason."""

    @pytest.mark.parametrize(("pattern", "reason"), MALFORMED)
    def test_with_luas_reason(self, pattern: str, reason: str) -> None:
        with pytest.raises(UsageError) as error:
            ClientPatterns([("fine", "A"), ("^never reached by any resource" + pattern, "B")])
        assert error.value.exit_code == 2
        assert "pattern 2" in error.value.message
        assert reason in error.value.message
        assert error.value.hint

    @pytest.mark.parametrize(
        "pattern",
        [
            "",
            "^",
            "$",
            "^$",
            "*",
            "-",
            "]",
            "[]]",
            "[^]]",
            "[%]]",
            "[]-a]",
            "%]",
            "()",
            "(a)%1",
            "%f[%w]",
            "%b()",
            "a^b$c",
        ],
    )
    def test_odd_but_well_formed(self, pattern: str) -> None:
        ClientPatterns([(pattern, "A")]).client("abc")

    @pytest.mark.parametrize("client", ["", " ", "\t"])
    def test_a_pattern_without_a_client(self, client: str) -> None:
        with pytest.raises(UsageError, match=r"pattern 1, .*names no client"):
            ClientPatterns([("a", client)])

    def test_the_message_can_be_shown(self) -> None:
        with pytest.raises(UsageError) as error:
            ClientPatterns([("[\x1b[31m\n", "A")])
        assert "\x1b" not in str(error.value)


class TestHostileResources:
    @pytest.mark.parametrize(
        "pattern", [".-.-.-.-.-.-x", "^.-.-.-x", "(.*)(.*)(.*)%1x", "a?" * 30 + "a" * 30, "[^x]*" * 9 + "x"]
    )
    def test_no_resource_keeps_lua_busy(self, pattern: str) -> None:
        """Not much longer than the slowest that is tried on every resource; without a bound it would take years."""
        slowest = self.cost_of("^.-.-x", [1023 - number for number in range(100)])
        assert self.cost_of(pattern, [10, 20, 30, 45, 81, 227, 1023, 1024, 10**6]) < 10 * slowest

    def cost_of(self, pattern: str, lengths: list[int]) -> float:
        """Seconds of this process's own for resources of those lengths, whatever else the machine does."""
        patterns = ClientPatterns([(pattern, "A")])
        started = time.process_time()
        for length in lengths:
            patterns.client("a" * length)
        return time.process_time() - started

    def test_patterns_in_use_are_tried_on_the_longest_resource(self) -> None:
        assert ClientPatterns([("^Conversations%..*", "A")]).client("Conversations." + "x" * 1009) == "A"
        assert ClientPatterns([("^(.-)%.(.*)$", "A")]).client("a." + "x" * 1021) == "A"

    def test_what_is_too_long_for_a_resource_is_none(self) -> None:
        assert ClientPatterns([("", "A")]).client("x" * 1024) == "?"
        assert ClientPatterns([("", "A")]).client("é" * 511 + "x") == "A"

    def test_a_pattern_that_lua_gives_up_on_is_told_and_the_next_is_tried(self) -> None:
        patterns = ClientPatterns([("^" + "a-" * 250 + "b", "A"), ("a", "B")])
        assert patterns.client("a") == "B"
        (problem,) = patterns.problems
        assert "pattern 1" in problem
        assert problem.endswith("pattern too complex")

    def test_bytes_that_are_no_utf8_and_lone_surrogates(self) -> None:
        patterns = ClientPatterns([("^\udcff$", "byte"), ("^é$", "two bytes"), ("^..$", "pair"), ("%?", "mark")])
        assert patterns.client("\udcff") == "byte"
        assert patterns.client("é") == "two bytes"
        assert patterns.client("ß") == "pair"
        assert patterns.client("\ud800") == "mark"

    def test_a_nul_is_a_byte_as_any(self) -> None:
        assert ClientPatterns([("^a%zb$", "A"), ("^a\x00c$", "B")]).client("a\x00c") == "B"


@pytest.fixture(scope="module")
def lua() -> Iterator[subprocess.Popen[bytes]]:
    """Lua itself, answering lines of `HEX-PATTERN HEX-RESOURCE` with yes, no or the reason of its error."""
    program = shutil.which("lua5.4")
    if program is None:
        pytest.skip("lua5.4 is not installed: apt-get install lua5.4")
    script = r"""
        local function text(hex) return (hex:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end)) end
        for line in io.lines() do
            local pattern, resource = line:match("^(%x*) (%x*)$")
            local fine, found = pcall(string.match, text(resource), text(pattern))
            print(fine and (found and "yes" or "no") or found)
            io.flush()
        end
    """
    with subprocess.Popen([program, "-e", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def ask(lua: subprocess.Popen[bytes], pattern: bytes, resource: bytes) -> str:
    assert lua.stdin is not None
    assert lua.stdout is not None
    lua.stdin.write(pattern.hex().encode() + b" " + resource.hex().encode() + b"\n")
    lua.stdin.flush()
    return lua.stdout.readline().decode().rstrip("\n")


class TestAgainstLua:
    """lua5.4 is the judge."""

    pieces = st.sampled_from(
        [
            *"abA1.-*+?^$()[]%_ \x00é\udcff",
            "%a",
            "%d",
            "%w",
            "%.",
            "%-",
            "%b()",
            "%f[%w]",
            "%1",
            "[a-c]",
            "[^%s]",
            ".-",
            "()",
        ]
    )
    patterns = st.builds("{}{}".format, st.sampled_from(["", "^"]), st.lists(pieces, max_size=8).map("".join))
    resources = st.text(alphabet="abA1.-+()[]% _\x00é\udcff", max_size=12)

    @settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(patterns, resources)
    @example("[^]a]", "b")
    @example("[%a-z]", "-")
    @example("%f[\x00]", "a")
    @example("(a*(.)%w(%s*))", "aab ")
    @example("^a*b", "b")
    @example("^a-b", "b")
    @example("^a?b", "b")
    @example("^a+", "b")
    @example("^%-", "-")
    @example("^%a", "b")
    @example("^-", "-")
    @example("^", "a")
    def test_the_same_answer_and_the_same_problems(
        self, lua: subprocess.Popen[bytes], pattern: str, resource: str
    ) -> None:
        data = pattern.encode("utf-8", "surrogateescape")
        answer = ask(lua, data, resource.encode("utf-8", "surrogateescape"))
        problem = read_pattern(data).problem
        if problem:
            assert answer in ("no", "yes", problem)
        else:
            assert ClientPatterns([(pattern, "A")]).client(resource) == {"yes": "A", "no": "?"}[answer]

    @pytest.mark.parametrize(("pattern", "reason"), MALFORMED)
    def test_it_refuses_what_is_refused_here(self, lua: subprocess.Popen[bytes], pattern: str, reason: str) -> None:
        assert ask(lua, pattern.encode(), b"ax" * 33) == read_pattern(pattern.encode()).problem
        assert reason in read_pattern(pattern.encode()).problem

    @pytest.mark.parametrize(("resource", "client"), REAL_RESOURCES.items())
    def test_the_default_list(self, lua: subprocess.Popen[bytes], resource: str, client: str) -> None:
        answers = (c for p, c in default_patterns() if ask(lua, p.encode(), resource.encode()) == "yes")
        assert next(answers) == client
