"""The ledger as a FOCUS bill: columns, rows, writer, checker, and what is said of the result."""
