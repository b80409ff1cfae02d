"""What can go wrong here, named by what to do next.

StackError
├── Unavailable    this machine lacks something: install it
├── FetchFailed    the jars could not be had: look at the network, try again
└── StartFailed    a server died or did not answer in time: read the end of its log, which the message holds
"""


class StackError(Exception):
    """Something that a person has to do something about; the message says what."""


class Unavailable(StackError):
    """This machine lacks what the servers need."""


class FetchFailed(StackError):
    """Maven could not bring the jars."""


class StartFailed(StackError):
    """A server died or did not answer in time."""
