"""Live sources: what `sync` pulls from providers and gateways into the ledger."""
