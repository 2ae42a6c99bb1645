"""Chaos: workers are killed at named points and random times, and nothing may be lost or happen twice."""
