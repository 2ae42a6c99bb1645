"""One module a command: what it does with the parts, and what it answers."""
