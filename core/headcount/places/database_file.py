"""A GeoIP file of the operator's, watched; and the last good one that was there, in use until another proved itself."""

import errno
import math
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from headcount.errors import HeadcountError, NoPermissionError, UsageError
from headcount.places.database import DAMAGE, About, Database, open_reader
from headcount.places.private_copies import Known, Store
from headcount.places.proof import Answer, Proof
from headcount.places.proving import Stamp, stamp_of
from headcount.text import clean

RETRY: Final = 600.0
"""Seconds after which a file is looked through again that could not be, through no problem of its own."""
_AGAIN: Final = "Download it again (geoipupdate), unpacked, as an .mmdb file; or leave it out."


class GeoFile:
    """The file at `path`, looked at again and again. `database` is the one in use, None before one proved itself.

    `problem` is what is wrong with the file now: a UsageError or NoPermissionError where whoever names it must learn of
    it, another error where it was found damaged only when it was looked through. Nothing is copied or looked through
    before `wanted` is set. `ticks` is monotonic, in seconds.
    """

    def __init__(self, path: str, store: Store, ticks: Callable[[], float], *, wanted: bool) -> None:
        self.path = path
        self.wanted = wanted
        self.problem: HeadcountError | None = None
        self.database: Database | None = None
        self._store = store
        self._ticks = ticks
        self._about: About | None = None
        self._proof: Proof | None = None
        self._proving: Stamp | None = None
        self._judged: Stamp | None = None
        self._seen: Stamp | None = None
        self._is_described = False
        self._again_at = math.inf
        self._copy = ""
        self._take_known()
        with suppress(OSError):
            self._seen = self._stamp()  # what is there at the beginning is not waited for to stand still
        self.look()

    @property
    def about(self) -> About | None:
        """What the file is, as far as that is known: the one in use, else the one that is there."""
        if self.database is not None:
            return self.database.about
        return self._proof.about if self._proof is not None and self._proof.about is not None else self._about

    @property
    def has_places(self) -> bool:
        """Whether it is known to be a file of places."""
        return self.about is not None and self.about.kind == "places"

    @property
    def is_pending(self) -> bool:
        """Whether it may come into use as soon as it has proved itself, and nothing is in use yet."""
        return self.database is None and self._proof is not None and self.wanted

    def look(self, patience: float = 0.0) -> bool:
        """Looks at the file, and at what its proof says, for which it may wait; whether another one is in use now.

        A file is taken for done once it was the same at two looks: whoever writes to it is not done.
        """
        try:
            stamp = self._stamp()
        except OSError as error:
            self._end_proof()
            self._judged = self._seen = None
            self.problem = _unreadable(clean(self.path), error.errno or errno.EIO)
            return False
        if self._proof is not None and stamp == self._proving:
            return self._hear(self._proof, patience)
        self._end_proof()
        if stamp == self._seen and (stamp != self._judged or self._ticks() >= self._again_at):
            self._begin(stamp)
        self._seen = stamp
        return False

    def want(self) -> None:
        """Has the file prove itself, where until now it was merely asked what it is."""
        if not self.wanted:
            self.wanted = True
            if self._is_described:
                self._judged, self._is_described = None, False
                self.look()

    def describe(self, patience: float) -> None:
        """Waits until it is known what the file is, or that it can't be."""
        ends_at = self._ticks() + patience
        while self._proof is not None and self.about is None and self._ticks() < ends_at:
            self.look(0.05)

    def close(self) -> None:
        """Lets go of the file and of the one in use."""
        self._end_proof()
        if self.database is not None:
            self.database.close()
            self.database = None

    def _take_known(self) -> None:
        """Takes the last good one that was kept, and what was known of the file."""
        found = self._store.known(self.path)
        if found is None:
            return
        known, copy = found
        if copy is None:
            self._about, self._judged, self._is_described = known.about, known.stamp, known.about.kind == "places"
            return
        with suppress(OSError, *DAMAGE):
            self.database = Database(open_reader(copy), known.about, known.digest)
            self._judged = known.stamp

    def _stamp(self) -> Stamp:
        """The stamp of what is there now. Raises OSError where it is no file at all."""
        try:
            found = os.stat(self.path)
        except ValueError as error:  # a name that no file can have
            raise OSError(errno.ENOENT, "no such file") from error
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EISDIR if stat.S_ISDIR(found.st_mode) else errno.EINVAL, "not a file")
        return stamp_of(found)

    def _begin(self, stamp: Stamp) -> None:
        try:
            os.close(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
        except OSError as error:
            self.problem, self._judged = _unreadable(clean(self.path), error.errno or errno.EIO), stamp
            return
        try:
            self._proof = Proof(self.path, stamp[1], self._store.digests(), self._ticks)
        except OSError as error:  # no room for a process, say; it is tried again at the next look
            self.problem = _unproved(clean(self.path), clean(error.strerror or type(error).__name__))
            return
        self._proving = stamp

    def _hear(self, proof: Proof, patience: float) -> bool:
        """Hears what the proof says, and has it go on where that is wanted."""
        answer = proof.answer(patience)
        if answer is None and proof.about is not None and not self._copy:
            answer = self._go_on(proof, proof.about)
        return answer is not None and self._judge(answer, proof)

    def _go_on(self, proof: Proof, about: About) -> Answer | None:
        if about.kind != "places" or not self.wanted:
            self._is_described = about.kind == "places"
            return Answer("set aside")
        try:
            self._copy = self._store.new()
        except OSError as error:
            return Answer("no copy", error=error.errno or errno.EIO)
        proof.go_on(self._copy)
        return None

    def _judge(self, answer: Answer, proof: Proof) -> bool:
        """Takes the file into use, or keeps why not; whether another one is in use now."""
        before, self._about = self.database, proof.about
        verdict = answer.verdict
        if verdict == "whole" and proof.about is not None and proof.about.kind != "places":
            verdict = "set aside"  # it became another one since it was described
        if verdict == "whole":
            self.problem = self._use(answer, proof)
        elif verdict != "changed":
            self.problem = self._problem(answer)
        self._judged = None if verdict == "changed" else answer.stamp or self._proving
        self._again_at = self._ticks() + RETRY if verdict in ("no copy", "no answer") else math.inf
        self._end_proof()
        return self.database is not before

    def _use(self, answer: Answer, proof: Proof) -> HeadcountError | None:
        """Takes a whole file into use, in place of the one that is."""
        assert proof.about is not None
        assert answer.stamp is not None
        known, written, old = Known(answer.stamp, proof.about, answer.digest), self._copy, self.database
        copy, self._copy = self._store.keep(self.path, known, written), ""
        try:
            if old is None or old.digest != answer.digest:
                self.database = Database(open_reader(copy.path), proof.about, answer.digest)
                if old is not None:
                    old.close()
        except (OSError, *DAMAGE) as error:
            return _unproved(clean(self.path), clean(str(error)))
        finally:
            if copy.is_passing:
                self._store.drop(copy.path)
        return None

    def _problem(self, answer: Answer) -> HeadcountError | None:
        """Why a file can't be taken into use; None where it is merely not of places, and nothing was there before."""
        shown = clean(self.path)
        match answer.verdict:
            case "set aside":
                if self.database is not None:
                    return HeadcountError(f"{shown} holds no places any more.") if self.wanted else None
                if self._about is not None and self._proving is not None:
                    self._store.note(self.path, Known(self._proving, self._about))
                return None
            case "unreadable":
                return _unreadable(shown, answer.error)
            case "foreign":
                return UsageError(f"{shown} is not a GeoIP database that can be read.", _AGAIN)
            case "damaged":
                return HeadcountError(f"{shown} is damaged: {answer.why}.", _AGAIN)
            case "no copy":
                why = clean(os.strerror(answer.error))
                return HeadcountError(f"{shown} can't be copied to where it is safe: {why}.", "Make room for it.")
        return _unproved(shown, answer.why)

    def _end_proof(self) -> None:
        """Ends the proof, if there is one, and removes the copy that it was about."""
        if self._proof is not None:
            self._proof.close()
            self._proof = self._proving = None
        if self._copy:
            self._store.drop(self._copy)
            self._copy = ""


def _unreadable(shown: str, error: int) -> HeadcountError:
    if error == errno.ENOENT:
        return UsageError(
            f"There is no GeoIP database {shown}.",
            "Name one that is there (--mmdb FILE, mmdb_path), or none: a database of countries is built in.",
        )
    if error in (errno.EACCES, errno.EPERM):
        return NoPermissionError(
            f"The GeoIP database {shown} may not be read.", f"Let this user read it: chmod a+r {shown}"
        )
    why = "it is no file" if error == errno.EINVAL else clean(os.strerror(error))
    return UsageError(f"{shown} is not a GeoIP database that can be read: {why}.", _AGAIN)


def _unproved(shown: str, why: str) -> HeadcountError:
    return HeadcountError(f"{shown} could not be looked through: {why}.", "That is tried again in some minutes.")
