"""Tries a built wheel as installed: in a new environment, with nothing of the checkout on the path.

python3 .ci/wheel.py dist/headcount-VERSION-py3-none-any.whl
"""

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "tests" / "data" / "prosody-samples" / "internal-0.12"
PACKAGES = {"headcount": ROOT / "core" / "headcount", "headcount_tui": ROOT / "tui" / "headcount_tui"}
AT = ("--at", "2026-11-22T05:00:00Z", "--timezone", "UTC")
KNOWN = {"chat.example.org": 2, "example.com": 12}  # the users of each host in the samples

WHAT_IS_INSTALLED = """
import json, pathlib
from importlib.metadata import entry_points
import headcount, headcount_tui
(screen,) = entry_points(group="headcount.screen")
screen.load()
print(json.dumps({module.__name__: str(pathlib.Path(module.__file__).parent) for module in (headcount, headcount_tui)}))
"""


def main(wheel: Path) -> None:
    with tempfile.TemporaryDirectory() as made:
        home = Path(made)
        venv.create(home / "venv", with_pip=True)
        bin_ = home / "venv" / "bin"
        pip = (bin_ / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        said(home, *pip, wheel)
        files_are_all_there(json.loads(said(home, bin_ / "python", "-c", WHAT_IS_INSTALLED)), home)

        command = bin_ / "headcount"
        version = wheel.name.split("-")[1]
        holds(said(home, command, "--version").strip() == f"headcount {version}", "--version tells the wheel's version")
        report = json.loads(said(home, command, "report", SAMPLES, *AT, "--format", "json"))
        known = {host: told["users_known"] for host, told in report["hosts"].items()}
        holds(known.items() >= KNOWN.items(), f"a report knows the users of the samples: {known}")
        countries = {place["country"] for place in report["hosts"]["example.com"]["months"]["2026-11"]["places"]}
        holds({"DE", "US"} <= countries, f"a report knows where addresses are: {countries}")
        holds("month users" in said(home, command, "demo"), "the demo prints its figures where there is no terminal")


def files_are_all_there(installed: dict[str, str], home: Path) -> None:
    """Every file of the two packages, code and data, is in the environment as it is in the checkout."""
    for package, source in PACKAGES.items():
        target = Path(installed[package])
        holds(target.is_relative_to(home), f"{package} is imported from the wheel, not from the checkout: {target}")
        there = files(target)
        wanted = files(source)
        holds(there == wanted, f"the wheel holds all of {package}, and nothing else: {sorted(there ^ wanted)[:9]}")
        changed = [name for name in wanted if (source / name).read_bytes() != (target / name).read_bytes()]
        holds(not changed, f"the files of {package} are those of the checkout: {changed[:9]}")


def files(package: Path) -> set[str]:
    found = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(package)) for path in found}


def said(home: Path, *line: str | Path) -> str:
    """What a command prints, run with a home of its own; it must end well."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HEADCOUNT"))}
    environment |= {"HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "XDG_CONFIG_HOME": str(home / "config")}
    done = subprocess.run(line, cwd=home, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{line[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def holds(is_so: bool, what: str) -> None:
    if not is_so:
        sys.exit(f"The wheel fails. This does not hold: {what}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
    print("The wheel holds: installed alone, it has all its files, reports, and runs the demo.")
