"""A plain loop over watchfiles, as one would write it first: what changed in a directory, by default settings.

    python plain_watch.py DIRECTORY

Says on standard output, after each batch, the moment (CLOCK_MONOTONIC) and how many users' files it has seen change.
"""

import sys
import time

import watchfiles


def main() -> None:
    seen: set[str] = set()
    print(f"{time.monotonic():.6f} 0", flush=True)
    for changes in watchfiles.watch(sys.argv[1]):
        seen.update(path for _, path in changes if path.endswith(".dat"))
        print(f"{time.monotonic():.6f} {len(seen)}", flush=True)


if __name__ == "__main__":
    main()
