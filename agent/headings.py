"""The lines of a report that other programs find their way by."""

CULPRITS = "Who carries it, and why"
"""Heading of the section with a bullet for each culprit and its reasons nested under it."""
SETTLING = "What would settle it: "
"""Opens the line under a close call."""
MODEL_WORDS = "In the words of the model"
"""Heading of the section that a model wrote, each sentence held against the evidence."""
