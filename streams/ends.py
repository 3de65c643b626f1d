"""How a process of the house ends when something newer came into force, for whoever starts it again."""

FOLLOWED_STATUS = 75
"""How a process ends that something newer came into force under: started again it goes by that (EX_TEMPFAIL)."""
OUTDATED_STATUS = 78
"""How a process ends that cannot go by what is in force: its program is too old, and stays so (EX_CONFIG)."""
IN_FORCE_LOOK_S = 1.0
"""How often a process asks whether it may still write."""
