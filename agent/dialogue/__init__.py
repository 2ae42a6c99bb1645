"""The conversation with the model: what it is told, what it may ask, and how its answers are read."""
