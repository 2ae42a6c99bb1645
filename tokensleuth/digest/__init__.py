"""The weekly digest: facts read by queries, sentences and tables made by code, rendered for who reads it."""
