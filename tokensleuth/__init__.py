"""The shell of the product: command line, settings, casebook, charts; detection and causes live elsewhere."""
