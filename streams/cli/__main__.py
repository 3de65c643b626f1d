"""Run the command line as `python -m streams.cli`."""

from streams.cli.root import main

main()
