"""Who is there: regions, units, posts, people, phones, shifts, and who holds a post at a given time."""
