"""The detection benchmark: labelled hourly spend, our detector and its peers under one protocol."""
