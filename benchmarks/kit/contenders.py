"""Those who count one tree, each by the command that does it; each checks that what it counted is right."""

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from kit.engine import Engine, start
from kit.native import MissingError, compiled, lua_command, room
from kit.runs import Contender, Run, command
from kit.tree import HOST, Tree

LUA = "Prosody's datamanager, Lua"
C_ALL = "C, read all"
C_SKIP = "C, stat first, skip the old"
C_TWO = "C, the same in two threads"
ACTIVE = "Headcount's source, who is active"
SOURCE = "Headcount's source, everything"
FIRST_ACTIVE = "Headcount, first start, who is active"
FIRST = "Headcount, first start, everything"
LATER = "Headcount, later start"
Result = TypeVar("Result")
READER = Path(__file__).with_name("read_source.py")


def on(name: str, cores: int) -> str:
    """A contender's name on so many cores."""
    return f"{name}, {cores} core{'s' if cores > 1 else ''}"


def by_c(tree: Tree, mode: str, threads: int = 1) -> Contender:
    """The C program, by `list`, `stat`, `all` or `skip`."""

    def run() -> Run:
        done = command([compiled("scan"), mode, str(tree.store), str(threads)])
        return _right(done, tree) if mode in ("all", "skip") else done

    return run


def warm(tree: Tree) -> None:
    """Brings a tree's files into the page cache."""
    try:
        by_c(tree, "all")()
    except MissingError:
        by_source(tree, 2)()


def by_lua(tree: Tree) -> Contender:
    """The module's work by Prosody's own datamanager."""
    return lambda: _right(command(lua_command("measure_active_users", tree.root, HOST)), tree)


def by_source(tree: Tree, cores: int) -> Contender:
    """Headcount's source alone: files to records."""

    def run() -> Run:
        done = command([sys.executable, str(READER), str(tree.root)], cores)
        if int(done.said) != tree.users:
            raise RuntimeError(f"the source gave {done.said} users of {tree.users}")
        return done

    return run


def by_active(tree: Tree, cores: int) -> Contender:
    """Headcount's source until it knows who is active, which is what the module and the C program count."""
    return lambda: _right(command([sys.executable, str(READER), str(tree.root), "active"], cores), tree)


def by_first_active(tree: Tree, cores: int) -> Contender:
    """A Headcount without a state: files to the first snapshot with all active users, their places and this month."""
    return lambda: start(tree, cores=cores, whole=False)


def by_first_start(tree: Tree, cores: int) -> Contender:
    """A Headcount without a state: files to a snapshot with places and month users, kept."""
    return lambda: start(tree, cores=cores)


def by_later_start(tree: Tree, cores: int, home: Path) -> Contender:
    """A Headcount that ran before, its state in `home`."""
    return lambda: start(tree, home, cores)


class Home:
    """A state of an engine that has read a tree and ended."""

    def __init__(self, tree: Tree) -> None:
        self.path = Path(tempfile.mkdtemp(dir=room(), prefix="state-"))
        with Engine(tree.root, self.path) as engine:
            engine.wait_for(tree)

    def copied(self, use: Callable[[Path], Result]) -> Result:
        """Lets a copy of it be used, so that each round begins with the same."""
        copy = Path(tempfile.mkdtemp(dir=room(), prefix="state-"))
        shutil.copytree(self.path, copy, dirs_exist_ok=True)
        try:
            return use(copy)
        finally:
            shutil.rmtree(copy)

    def size(self) -> float:
        """Bytes of all that is kept."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())

    def remove(self) -> None:
        shutil.rmtree(self.path)


def _right(run: Run, tree: Tree) -> Run:
    if tuple(map(int, run.said.split())) != tree.active:
        raise RuntimeError(f"counted {run.said}, but it is {tree.active}")
    return run
