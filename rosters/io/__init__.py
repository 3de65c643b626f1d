"""Rosters in and out: the sheets and calendars that offices keep, read into shifts and written from them."""
