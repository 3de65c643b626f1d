"""Spoiled documents at every door, from a seed: each is accepted or refused, and none is lost or brings a door down."""
