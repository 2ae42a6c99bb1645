"""Fresh labelled spend series of the kinds that the development set has, none of them copied from it."""

from evals.detection.generator.generate import generate_set

__all__ = ["generate_set"]
