"""What a county sets: settings, hazards, rules, ladders, thresholds, and a whole sample county."""
