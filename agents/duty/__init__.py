"""DUTY: the roster that lives, handovers, notices to those on duty, spot checks."""
