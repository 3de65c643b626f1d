"""The history of the house's own tables, one file a change; rooms' tables are fitted by `streams/ledger/migrate.py`."""
