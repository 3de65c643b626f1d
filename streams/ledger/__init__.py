"""The ledger: the memory of the house. The only SQL lives here; rooms know nothing but `contract.py`."""
