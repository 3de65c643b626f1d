"""DIAL: claims from the ledger, dials, records what the carriers say."""
