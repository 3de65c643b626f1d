"""CALLOUT: one post to be woken in one round, step by step along its ladder."""
