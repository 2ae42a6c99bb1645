"""Prose of a language model held against the evidence; a sentence that it does not back is dropped."""
