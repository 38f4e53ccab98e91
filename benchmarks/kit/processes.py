"""What a process and its children take: processor time, memory. Read from /proc."""

import os
import time
from collections.abc import Callable
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    """A process and all below it that live."""
    found = [pid]
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                found += children(int(child))
    except OSError:
        pass
    return found


def processor(pid: int) -> float:
    """Seconds of processor time of a process and its children, those too that ended."""
    ticks = 0
    for one in children(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15] if one == pid else fields[11:13]))
    return ticks / TICKS


def memory(pid: int) -> dict[str, float]:
    """`VmRSS` and `VmHWM` of a process in MB (10^6), and `below`: the resident memory of its children."""
    found = {"below": 0.0}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(("VmRSS", "VmHWM")):
            name, kilobytes, _ = line.split()
            found[name.rstrip(":")] = int(kilobytes) * 1024 / 1e6
    for child in children(pid)[1:]:
        try:
            pages = int(Path(f"/proc/{child}/statm").read_text().split()[1])
        except OSError:
            continue
        found["below"] += pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return found


def quiet(pid: int, within: float = 600.0, look: Callable[[], None] = lambda: None) -> None:
    """Waits until a process has used hardly any processor time for two seconds."""
    end, calm, before = time.monotonic() + within, 0, processor(pid)
    while time.monotonic() < end:
        time.sleep(0.5)
        look()
        used = processor(pid)
        calm = calm + 1 if used - before < 0.05 else 0
        if calm == 4:
            return
        before = used
    raise TimeoutError(f"busy for {within:.0f} seconds")
