"""placeholder until the demo lands"""


def add_parser(commands):
    """Nothing yet."""


def run(options):
    """Nothing yet."""
    return 1
