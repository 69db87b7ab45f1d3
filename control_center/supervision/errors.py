"""Why an installation cannot start."""


class StartError(Exception):
    """Says what, where and how to mend."""
