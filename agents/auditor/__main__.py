"""`python -m agents.auditor`."""

from agents.auditor.main import main

main()
