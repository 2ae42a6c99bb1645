"""Users under pseudonyms: who they are is known to whoever holds the key of the casebook, and asks."""
