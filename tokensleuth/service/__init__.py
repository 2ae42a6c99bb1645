"""`tokensleuth serve`: the parts put together, the workers that run them, and the process around them."""
