"""What flows, and the doors it flows through: letters, topics, the ledger, the doors, replay."""
