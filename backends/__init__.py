"""The outside world: per module one Protocol, the real thing and the embedded one."""


class Unavailable(Exception):
    """A service behind us does not answer. Nothing was lost; the person may try again."""
