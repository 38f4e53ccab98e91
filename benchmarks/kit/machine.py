"""The machine that was measured: what it is, and how busy others keep it."""

import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path

from kit.native import MissingError, lua, prosody_library, room


def described() -> list[tuple[str, str]]:
    """Names and values of what may matter."""
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) / 1e6  # type: ignore[index]
    there = os.statvfs(room())
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("textual", "watchfiles", "maxminddb")
    )
    return [
        ("processor", f"{_processor()}, {len(os.sched_getaffinity(0))} cores"),
        ("memory", f"{memory:.0f} GB"),
        ("kernel", f"{platform.system()} {platform.release().split('-')[0]}, {platform.machine()}"),
        ("file system", f"{file_system(room())}, {there.f_bavail * there.f_frsize / 1e9:.0f} GB free"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}; {versions}"),
        ("Lua", _lua()),
        ("Prosody", _prosody()),
        ("Headcount", importlib.metadata.version("headcount")),
    ]


def load() -> float:
    """Processes that wanted to run, on average over the last minute."""
    return os.getloadavg()[0]


def file_system(path: Path) -> str:
    """The kind of file system that a directory is on."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    where = str(path.resolve())
    within = [(point, kind) for point, kind in mounts if where == point or where.startswith(point.rstrip("/") + "/")]
    return max(within, key=lambda mount: len(mount[0]))[1]


def _processor() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def _lua() -> str:
    try:
        return subprocess.run([lua(), "-v"], capture_output=True, text=True, check=True).stdout.split("  ")[0].strip()
    except MissingError as error:
        return str(error)


def _prosody() -> str:
    try:
        return (prosody_library() / "prosody.version").read_text().strip()
    except (MissingError, OSError) as error:
        return str(error)
