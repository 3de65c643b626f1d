"""The command line `jiaoying`, rooted in `root.py`. Each command is a few lines around what is built elsewhere."""
