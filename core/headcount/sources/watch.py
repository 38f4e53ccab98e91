"""One watch over some directories, by watchfiles, and the thread that collects what it tells.

watchfiles is asked by its Rust backend, as its documentation has it: that watches from the moment on at which it was
made, can be asked more often while much happens, and makes no objects of changes that nobody wants.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping

from headcount.sources import watch_limits

Changes = dict[bytes, set[bytes]]
"""The names that changed, by the path of their directory; the empty name is the directory itself."""
STEP_MS, PATIENCE_MS = 30, 250
"""How often watchfiles looks whether anything changed, and for how long at a time. Each look costs, also when idle."""
REST_MS = 30
"""After how long changes are reported, all at once: so many milliseconds that who reads such a file then has seen the
last change that its change time stands for (`users.SETTLED_NS`). In this time watchfiles looks twice."""
LATE = 1.0
"""Seconds without a look after which this process seems to have been stopped or starved."""
QUEUE = 16_384
"""Events that Linux holds for who watches, by default. A login with the reading of its file is up to eight of them, and
three changes as watchfiles tells it: a temporary file comes and goes, and the file comes."""
TEMPORARY = "~"
"""How the name of a file ends that is still being written."""
NOT_TEXT = "a file with a name that is not UTF-8 ended the watch"
_POLL_MS = 30_000

Tell = Callable[[Changes, bool], None]
"""Takes changes, and whether others may have been dropped."""


class NotWatchedError(Exception):
    """Nothing is watched; its text says why, and what to do."""


class Watch:
    """Tells of the names in those directories that end as `endings` has it for each, from when it is made until its
    end. A directory that is gone or closed is left out.

    `lack` says why not all others are watched, and is None where they are. Raises NotWatchedError.
    """

    def __init__(
        self, endings: Mapping[bytes, bytes], tell: Tell, ended: Callable[[str], None], clock: Callable[[], float]
    ) -> None:
        from watchfiles._rust_notify import RustNotify  # here, since it takes a while, and a report has no need of it

        self.endings = dict(endings)
        self._tell, self._ended, self._clock = tell, ended, clock
        there = {path: found for path in endings if (found := watch_limits.identity(path)) is not None}
        before = watch_limits.instances()
        try:
            self._text = {path.decode(): endings[path].decode() for path in there}
            self._backend = RustNotify(list(self._text), False, False, _POLL_MS, False, True)
        except UnicodeDecodeError:
            raise NotWatchedError("a directory whose path is not UTF-8 can't be watched") from None
        except (OSError, RuntimeError):
            raise NotWatchedError(watch_limits.none_left()) from None
        self._descriptors = watch_limits.instances() - before
        wanted = len({found for path, found in there.items() if watch_limits.identity(path) == found})
        standing = watch_limits.standing(self._descriptors)
        self.standing = wanted if standing is None else standing
        self.lack = watch_limits.too_few(self.standing, wanted) if self.standing < wanted else None
        self._most = (watch_limits.limit("max_queued_events") or QUEUE) * 3 // 8
        self._is_last, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether it still tells of changes."""
        return self._thread.is_alive()

    def let_end(self) -> None:
        """Has it end by itself, once it has told of what changed until now."""
        self._is_last.set()

    def close(self) -> None:
        """Ends it at once, and gives back what it takes of the system's limits."""
        self._stop.set()
        self._thread.join()
        watch_limits.wait_for_end(self._descriptors)

    def _run(self) -> None:
        looked = self._clock()
        found: set[tuple[int, str]] = set()
        is_last = False
        try:
            while not is_last and not self._stop.is_set():
                is_last = self._is_last.is_set()
                step, patience = (REST_MS // 2, REST_MS - 1) if found else (STEP_MS, PATIENCE_MS)
                answer = self._backend.watch(0, step, patience, self._stop)
                is_late, looked = self._clock() - looked > LATE, self._clock()
                before, found = found, answer if isinstance(answer, set) else set()
                # A queue that ran full may be told in two parts.
                may_lack = is_late or len(before) + len(found) > self._most
                if before or may_lack:
                    self._tell(self._wanted(before), may_lack)
            self._tell(self._wanted(found), False)
        except BaseException as error:  # a panic in Rust is no Exception
            # The text of an error names a file, and so a user.
            self._ended(NOT_TEXT if "decode" in str(error) else f"the watch ended ({type(error).__name__})")
        finally:
            self._backend.close()

    def _wanted(self, changes: set[tuple[int, str]]) -> Changes:
        """What of that is to be told. Most are temporary files, twice each."""
        endings = self._text
        names: defaultdict[str, list[str]] = defaultdict(list)
        for path in {path for _, path in changes if path[-1] != TEMPORARY or path in endings}:
            directory, _, name = path.rpartition("/")
            ending = endings.get(directory)
            if path in endings:
                names[path].append("")
            elif ending is not None and name.endswith(ending):
                names[directory].append(name)
        return {directory.encode(): set("\0".join(found).encode().split(b"\0")) for directory, found in names.items()}
