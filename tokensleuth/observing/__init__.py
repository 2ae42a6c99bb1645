"""What the service tells of itself: metrics, logs, and a heartbeat to an address outside."""
