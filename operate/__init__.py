"""The commands of an operator."""


class Refused(Exception):
    """The command cannot be carried out. The text is one line that names the cure."""
