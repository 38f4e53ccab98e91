"""A file of ours is there whole or not at all, and what hinders it is told in words."""

import errno
import os
import stat
from pathlib import Path

import pytest

from headcount.atomic_files import write
from headcount.errors import HeadcountError, NoPermissionError, TakenError, UsageError
from support import unprivileged


def files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.parametrize("may_replace", [True, False])
def test_a_new_file_is_for_its_owner_alone(tmp_path: Path, may_replace: bool) -> None:
    write(str(tmp_path / "x"), b"new", may_replace=may_replace)
    assert files(tmp_path) == {"x": b"new"}
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600


def test_an_old_one_is_replaced_only_where_it_may_be(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old")
    with pytest.raises(TakenError, match="is there already"):
        write(str(tmp_path / "x"), b"new", may_replace=False)
    assert files(tmp_path) == {"x": b"old"}
    write(str(tmp_path / "x"), b"new", may_replace=True)
    assert files(tmp_path) == {"x": b"new"}


def test_a_link_to_nowhere_is_there_too(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to(tmp_path / "nowhere")
    with pytest.raises(TakenError):
        write(str(tmp_path / "x"), b"new", may_replace=False)
    assert not (tmp_path / "nowhere").exists()


def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    write(str(tmp_path / "x"), b"new", may_replace=False)
    assert files(tmp_path) == {"x": b"new"}
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600
    with pytest.raises(TakenError):
        write(str(tmp_path / "x"), b"newer", may_replace=False)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HeadcountError, match="can't be written: No space left on device"):
        write(str(tmp_path / "x"), b"new", may_replace=False)
    assert files(tmp_path) == {}


@pytest.mark.parametrize(("name", "told"), [("no/x", "There is no directory"), ("a\0b", "can't be the name of a file")])
def test_a_place_that_cannot_be(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        write(os.path.join(tmp_path, name), b"new", may_replace=False)


def test_its_directory_is_made_where_that_is_asked_and_what_hinders_it_is_told(open_tmp: Path) -> None:
    path = open_tmp / "new" / "below" / "x"
    with pytest.raises(UsageError, match="There is no directory"):
        write(str(path), b"new", may_replace=True)
    write(str(path), b"new", may_replace=True, makes_directory=True)
    assert files(path.parent) == {"x": b"new"}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with pytest.raises(HeadcountError, match=r"below/x/y can't be written: (Not a directory|File exists)\."):
        write(str(path / "y"), b"new", may_replace=True, makes_directory=True)
    (open_tmp / "closed").mkdir(mode=0o500)
    with unprivileged(), pytest.raises(NoPermissionError, match="No permission to write"):
        write(str(open_tmp / "closed" / "new" / "x"), b"new", may_replace=True, makes_directory=True)
