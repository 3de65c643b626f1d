"""PLAN: which posts are called for a move of a chain, by which ladder, with which words."""
