"""What executes a measure: one port, and one module for each gateway that keys and limits live in."""
