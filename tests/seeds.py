"""The seed of what tests draw: GRISTMILL_SEED, or the number of the day, so that each day tries something else.

`make test` prints it, and a failure is repeated with it.
"""

import os
import time

SEED = int(os.environ.get("GRISTMILL_SEED") or time.time() // 86400)
"""Read before a fixture clears what users set."""
