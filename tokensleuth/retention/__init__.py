"""Deletes what the settings keep no longer, in ledger and casebook, and never what is still open."""
