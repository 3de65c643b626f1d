"""How a process that works through the night looks for garbage: what it loaded stays, and is not searched for garbage.

A county, its rules and all modules are hundreds of thousands of objects that live as long as the process. By default
Python looks through all of them after every few hundred new rows; in a large warning that was a quarter of a claim.
"""

from __future__ import annotations

import gc

NEW_OBJECTS = 50_000
"""So many more objects made than let go of before the young are searched: a page of rows and what is made of it."""
YOUNG_TURNS, OLD_TURNS = 20, 20


def settle_memory() -> None:
    """Set aside what was loaded so far, and look for garbage in proportion to what a step makes. Call after loading."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, YOUNG_TURNS, OLD_TURNS)
