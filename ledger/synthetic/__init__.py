"""The seeded synthetic organisation: hourly usage with known causes injected, for demo, tests and evals."""
