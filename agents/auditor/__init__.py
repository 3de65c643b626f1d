"""AUDITOR: looks from outside for what is due and not done. Shares no code with the engine it watches."""
