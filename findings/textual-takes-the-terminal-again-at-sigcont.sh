#!/usr/bin/env bash
# Textual 8.2.8, on Linux: a SIGCONT makes its driver take the terminal again, though it never let go of it.
#
# A SIGCONT reaches a process that was stopped by SIGSTOP, which no handler sees, and, with a SIGHUP, one whose terminal
# goes away while it is stopped. One would guess that the driver does nothing then, or takes the terminal anew in place
# of the old way. Seen: each SIGCONT enters the alternate screen once more and starts one more thread that writes and one
# more that reads keys beside the old ones, which stay; what is left at the end is left once.
#
# Output seen with three SIGCONT:
#   alternate screen entered 4 times, left 1 time; 6 threads more than before
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check textual==8.2.8
cat >"$work/app.py" <<'PY'
from textual.app import App
from textual.widgets import Label


class Still(App):
    BINDINGS = [("q", "quit", "Quit")]

    def compose(self):
        yield Label("still here")


Still().run()
PY
cat >"$work/watch.py" <<'PY'
import os, pty, select, signal, sys, time

process, fd = pty.fork()
if process == 0:
    os.execve(sys.executable, [sys.executable, sys.argv[1]], {"TERM": "xterm-256color", "LANG": "C.UTF-8"})
sent = b""


def read(seconds):
    global sent
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                sent += os.read(fd, 65536)
            except OSError:
                return


def threads():
    return len(os.listdir(f"/proc/{process}/task"))


end = time.monotonic() + 60
while b"still here" not in sent and time.monotonic() < end:
    read(0.2)
read(1.0)
before = threads()
for _ in range(3):
    os.kill(process, signal.SIGCONT)
    read(1.0)
more = threads() - before
os.write(fd, b"q")
read(3.0)
entered, left = sent.count(b"\x1b[?1049h"), sent.count(b"\x1b[?1049l")
print(f"alternate screen entered {entered} times, left {left} time; {more} threads more than before")
os.kill(process, signal.SIGKILL)
os.waitpid(process, 0)
PY
seen=$("$work/venv/bin/python" "$work/watch.py" "$work/app.py")
echo "$seen"
[ "$seen" = "alternate screen entered 4 times, left 1 time; 6 threads more than before" ]
