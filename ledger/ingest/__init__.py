"""Files into the ledger: read columnar, validated by SQL, deduplicated by identity, rolled up by the hour."""
