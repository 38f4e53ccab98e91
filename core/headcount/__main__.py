"""`python -m headcount`: the same as the `headcount` command."""

import sys

from headcount.cli import main

sys.exit(main())
