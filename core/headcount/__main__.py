"""The `headcount` command, also as `python -m headcount`: from its first moment to its last it ends in order."""

import sys

from headcount import stopping


def main() -> int:
    """Runs the command with the arguments of the process; gives the exit code."""
    stopping.hold()
    try:
        from headcount.cli import main as command

        return command()
    except KeyboardInterrupt:  # while it was telling an error
        return 130
    finally:
        stopping.hold()


if __name__ == "__main__":
    sys.exit(main())
