"""What an operator runs."""


class Refused(Exception):
    """What was asked for cannot be done. The text is one line that names the cure."""
