"""The simulator: seeded nights around the very same rooms, with everything that can go wrong going wrong.

A night is a small county, a few workers, one shared ledger, a log, a telephone network and what comes in. Of a seed
follows which kinds of faults it has, when they strike and in what order everything runs; the same seed is the same
night. Faults stop after a while, then everything must come to rest, and the laws of calling are checked against what
the simulated world itself knows: which phone rang when, who pressed what.

    faults.py     the kinds of faults, and chance: the only file of the project that draws random numbers
    county.py     a county and rules small enough for thousands of nights
    script.py     what comes in: warnings, orders, answers, readings, changes of the roster
    tasks.py      virtual time, and tasks that can be ended between any two of their steps
    store.py      the shared ledger as one worker reaches it: late, away, overlapping, in doubt whether it was written
    log.py        the log between workers: doubles, delays, reorders, loses and forgets
    network.py    telephones and their vendor, who fails and lies; it knows what really happened
    worker.py     one worker: the rooms and loops of streams/worker.py, one step at a time
    world.py      all of it together: a night from its first warning until everything rests
    seen.py       what was committed, and when in true time
    laws.py       what must hold of every night; calls.py: what must hold of every call; again.py: the night replayed
    nights.py     many nights, and the shortest history that still breaks a law

It never decides anything that a room decides, and never uses a clock, a thread or a network.
"""
