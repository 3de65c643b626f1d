"""What Grafana shows: the dashboard as code, its JSON, and what Grafana reads at its start."""
