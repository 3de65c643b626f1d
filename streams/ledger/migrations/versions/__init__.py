"""One file for each change of the house's tables, in order. A file that was released is never edited."""
