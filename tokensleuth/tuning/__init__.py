"""What people say changes what they are alerted of: raised thresholds and planned events, which end."""
