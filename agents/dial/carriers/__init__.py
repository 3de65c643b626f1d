"""The ways to phones: one protocol, several carriers."""
