"""What has to be on the machine beside Python: a C compiler, Lua, Prosody's own files. What is missing is said once."""

import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
PROSODY = (Path("/usr/lib/prosody"), Path("/usr/local/lib/prosody"))
MEMORY = Path("/dev/shm")
VISITORS = "mod_monthly_visitors/mod_monthly_visitors.lua"


class MissingError(Exception):
    """Something that a contender needs is not here; the message says how to get it."""


def room() -> Path:
    """The directory that trees and programs are kept in between runs: $BENCHMARKS_ROOM, else below $TMPDIR."""
    path = Path(os.environ.get("BENCHMARKS_ROOM") or Path(tempfile.gettempdir()) / "headcount-benchmarks")
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def trees_room() -> Path:
    """The directory that trees are kept in: $BENCHMARKS_TREES, else with all the rest."""
    named = os.environ.get("BENCHMARKS_TREES")
    return Path(named) if named else room()


def memory_room(users: int) -> Path:
    """A directory in memory with room for so many users' files, where there is one; else the usual one.

    Disks have a limit of their own on how many files a second can be replaced, long before any watcher has.
    """
    needed = users * 6000 + 1e9
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK):
        there = os.statvfs(MEMORY)
        free = int(re.search(r"MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) * 1024  # type: ignore[index]
        if min(there.f_bavail * there.f_frsize, free / 2) > needed:
            path = MEMORY / f"headcount-benchmarks-{os.getuid()}"
            path.mkdir(exist_ok=True, mode=0o700)
            return path
    return room()


@cache
def compiled(name: str) -> str:
    """The path of the program made of NAME.c, which is compiled on the spot."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise MissingError("no C compiler here: apt-get install gcc libc6-dev")
    source, program = HERE / f"{name}.c", room() / name
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        new = program.with_suffix(f".{os.getpid()}")
        subprocess.run([compiler, "-O2", "-pthread", "-o", new, source], check=True)
        new.rename(program)
    return str(program)


@cache
def prosody_library() -> Path:
    """The directory of Prosody's Lua files."""
    for path in PROSODY:
        if (path / "util" / "datamanager.lua").is_file():
            return path
    raise MissingError("no Prosody here: apt-get install prosody")


@cache
def lua() -> str:
    """Lua 5.4, with Prosody's files beside it."""
    program = shutil.which("lua5.4") or shutil.which("lua")
    if program is None:
        raise MissingError("no Lua 5.4 here: apt-get install lua5.4 lua-filesystem")
    prosody_library()
    return program


def lua_command(script: str, *arguments: object) -> list[str]:
    """The command that runs one of the Lua scripts here, with Prosody's files as its library."""
    return [lua(), str(HERE / f"{script}.lua"), str(prosody_library()), *map(str, arguments)]


def visitors_module() -> Path | None:
    """The file of the real mod_monthly_visitors, if it is at hand; TEST_MONTHLY_VISITORS names its folder."""
    named = os.environ.get("TEST_MONTHLY_VISITORS")
    folders = [Path(named).parent] if named else []
    folders += [
        *(path / "modules" for path in PROSODY),
        Path("/usr/share/prosody-modules"),
        Path("/opt/prosody-modules"),
    ]
    return next((folder / VISITORS for folder in folders if (folder / VISITORS).is_file()), None)


def lacking() -> list[str]:
    """What is missing here, one sentence each."""
    found = []
    for look in (lambda: compiled("scan"), lua, prosody_library):
        try:
            look()
        except MissingError as error:
            found.append(str(error))
    return list(dict.fromkeys(found))
