"""How each duty is done; every module is loaded only where its duty is."""
