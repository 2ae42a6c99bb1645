"""What a series will have spent by the end of each day ahead, with an interval from its own past errors."""
