"""What the service does by itself: which duties there are, when they are due, and how each is done."""
