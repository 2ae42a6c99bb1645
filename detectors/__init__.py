"""Arrays in, scores out; scores to spikes to incidents. No SQL, no causes."""
