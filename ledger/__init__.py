"""Facts: usage by hour, priced and attributed, in DuckDB. No network, no clock, no opinions."""
