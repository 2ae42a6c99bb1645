"""A month of the service on a fast clock: restarts, outages, late data, and what comes of it."""
