"""The errors of the whole program, one small tree; the command line makes a message and exit code of each.

TokensleuthError
    RefusedError       what was asked for or handed in is wrong as a whole (exit code 2)
    UnreachableError   a part that is needed cannot be reached now (exit code 3)
"""


class TokensleuthError(Exception):
    """Base of every error that is told to the user as one line."""


class RefusedError(TokensleuthError):
    """The input or request is refused as a whole; asking again unchanged gives the same answer."""


class UnreachableError(TokensleuthError):
    """A file, lock or service needed for the request is not to be had now; a later try may succeed."""
