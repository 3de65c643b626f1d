"""The rooms: each takes letters of one topic, decides purely, and writes what follows in one transaction."""
