"""Where a sleeve that is rolled up can begin."""

from __future__ import annotations

# m behind the wrist of an adult. The hand's mesh goes on to 0.06 to 0.08: no such cuff can be nearer.
LEAST_CUFF, MOST_CUFF = 0.09, 0.2
