"""How a run is told: one listener a format, each taking results as they come."""
