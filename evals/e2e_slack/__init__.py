"""`make e2e-slack`: the real service on a Slack emulator; clicks, pages and commands decide, each once."""
