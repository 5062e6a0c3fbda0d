"""The providers by the name in `private.models.provider`.

A new one is a file here and a row there.
"""

from tasks.providers.preview import Preview
from tasks.providers.protocol import Permanent, Provider
from tasks.providers.replicate import replicate


def named(name: str) -> Provider:
    match name:
        case "preview":
            return Preview()
        case "replicate":
            return replicate()
        case _:
            raise Permanent("internal", "This model is not available.")
