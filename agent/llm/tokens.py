"""How many tokens a text may take, for limits that must hold before anybody has counted."""

BYTES_PER_TOKEN = 3
"""Common tokenizers take more bytes of English and JSON for a token: so limits err on the safe side."""


def estimated_tokens(text: str) -> int:
    """Rather too many than too few of the tokens that common tokenizers make of the text."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)
