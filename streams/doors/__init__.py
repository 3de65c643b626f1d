"""The doors: the only places where what comes from outside is parsed."""
