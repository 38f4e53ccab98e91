"""A real Lua as the judge: one `lua5.4` process that loads documents as Prosody does and says what they hold."""

import math
import struct
import subprocess
from pathlib import Path

from headcount.prosody.lua_table import BooleanKey, LuaKey, LuaValue, TableKey

PROSODY = Path("/usr/lib/prosody")

# Reads "<command> <length>\n<document>" and answers "<length>\n<answer>". The answer spells types out, keys
# sorted, so that two values are the same where their spellings are. Runs documents in an empty environment
# as Prosody does, but without loops that last.
_PROGRAM = r"""
package.path = "%s/?.lua;" .. package.path
local has_prosody, serialization = pcall(require, "util.serialization")
local function hex(s) return (s:gsub(".", function(c) return ("%%02x"):format(c:byte()) end)) end
local spell
local function table_of(t)
    local lines = {}
    for k, v in next, t do lines[#lines + 1] = spell(k) .. "=" .. spell(v) end
    table.sort(lines)
    return "{" .. table.concat(lines, ",") .. "}"
end
function spell(v)
    local kind = math.type(v) or type(v)
    if kind == "integer" then return "i" .. ("%%d"):format(v) end
    if kind == "float" then return v ~= v and "nan" or "f" .. hex(string.pack(">d", v)) end
    if kind == "string" then return "s" .. hex(v) end
    if kind == "table" then return table_of(v) end
    return tostring(v)
end
local function run(text, environment)
    local chunk = load(text, "=document", "t", environment)
    if not chunk then return false end
    debug.sethook(function() error("too long") end, "", 100000)
    local ok, value = pcall(chunk)
    debug.sethook()
    return ok, value
end
local commands = {}
function commands.load(text)
    local ok, value = run(text, {})
    return ok and spell(value) or "error"
end
function commands.prosody(text)
    if not has_prosody then return "no Prosody" end
    local _, value = run(text, {})
    return "return " .. serialization.serialize(value) .. ";\n"
end
while true do
    local command, length = io.read("l")
    if not command then break end
    command, length = command:match("^(%%a+) (%%d+)$")
    local ok, answer = pcall(commands[command], length == "0" and "" or io.read(tonumber(length)))
    answer = ok and answer or "error"
    io.write(#answer, "\n", answer)
    io.flush()
end
"""


class LuaJudge:
    """One running `lua5.4`."""

    def __init__(self, program: str) -> None:
        self._process = subprocess.Popen(
            [program, "-e", _PROGRAM % PROSODY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def load(self, document: bytes) -> str:
        """What a `.dat` document gives, spelt as `spelling` does; `error` where it does not load."""
        return self._ask(b"load", document).decode()

    def prosody_serialise(self, document: bytes) -> bytes | None:
        """The document as Prosody writes its value; None without Prosody."""
        answer = self._ask(b"prosody", document)
        return None if answer == b"no Prosody" else answer

    def close(self) -> None:
        self._process.communicate(timeout=120)

    def _ask(self, command: bytes, document: bytes) -> bytes:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b"%s %d\n" % (command, len(document)) + document)
        self._process.stdin.flush()
        return self._process.stdout.read(int(self._process.stdout.readline()))


def spelling(value: LuaValue) -> str:
    """A value with its types, the same for the same values alone; NaN is itself, tables as keys are their content."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nil"
    if isinstance(value, bytes):
        return "s" + value.hex()
    if isinstance(value, int):
        return f"i{value}"
    if isinstance(value, float):
        return "nan" if math.isnan(value) else "f" + struct.pack(">d", value).hex()
    return "{" + ",".join(sorted(f"{_key(k)}={spelling(v)}" for k, v in value.items())) + "}"


def _key(key: LuaKey) -> str:
    if isinstance(key, TableKey):
        return spelling(key.table)
    return spelling(key.value if isinstance(key, BooleanKey) else key)
