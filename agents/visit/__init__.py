"""VISIT: somebody goes to the door: one list per round and superior unit."""
