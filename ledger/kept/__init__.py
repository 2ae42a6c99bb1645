"""What detection keeps from one run to the next."""
