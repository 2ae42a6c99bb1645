"""The benchmark: seeded scenarios graded through the product's command line, and the figures of speed."""
