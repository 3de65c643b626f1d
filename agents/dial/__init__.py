"""DIAL: claims attempts from the ledger, places them, records what becomes of them."""
