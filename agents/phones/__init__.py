"""PHONES: is this really that person's number? A code goes to the number and has to come back."""
