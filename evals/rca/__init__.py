"""The root-cause benchmark: seeded cases with known culprits, our product and its peers on them."""
