"""Tells how many of the core's branches its tests took, from coverage's JSON, and fails below the floor.

coverage json -o - | python3 .ci/branches.py FLOOR
"""

import json
import sys

# Coverage's own floor is of lines and branches as one figure, in which the many lines hide the branches.
floor = float(sys.argv[1])
totals = json.load(sys.stdin)["totals"]
taken, there = totals["covered_branches"], totals["num_branches"]
share = 100 * taken / there
print(f"Branches of the core that its tests take: {taken} of {there}, {share:.1f} % (floor: {floor:g} %)")
if share < floor:
    sys.exit("Write tests for branches that none takes: the lines above name them after ->")
