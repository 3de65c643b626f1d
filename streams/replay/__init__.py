"""A past night run again: virtual time, the same rooms, the same entries."""
