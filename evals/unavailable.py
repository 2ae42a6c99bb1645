"""What a peer raises where a program or package it needs is not on this machine."""


class Unavailable(Exception):
    """Says what is missing and how to get it; tests skip with it, and CI lets no test skip."""
