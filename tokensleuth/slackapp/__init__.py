"""Slack: what is said there, who is told, and what comes back from it."""
