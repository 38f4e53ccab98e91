"""When which host changes by itself: those alone are stepped, so that thousands of quiet hosts cost nothing."""

import heapq
import math


class Due:
    """The next moment (Unix seconds) of each host, by its name."""

    def __init__(self) -> None:
        self._next: dict[str, float] = {}
        self._queue: list[tuple[float, str]] = []

    def put(self, name: str, when: float) -> None:
        """Awaits a host's next moment in place of the one before."""
        if self._next.get(name) != when:
            self._next[name] = when
            if when < math.inf:
                heapq.heappush(self._queue, (when, name))

    def pop(self, now: float) -> list[str]:
        """The hosts whose moment has come. They are awaited no longer, before they are put again."""
        found = []
        while self._queue and self._queue[0][0] <= now:
            when, name = heapq.heappop(self._queue)
            if self._next.get(name) == when:  # else another moment came in its place
                del self._next[name]
                found.append(name)
        return found
