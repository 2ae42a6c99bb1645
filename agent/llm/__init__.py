"""A language model for the investigation: the port, its one adapter, and what its calls cost."""
