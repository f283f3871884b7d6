"""Why seeding did not start."""


class SeedError(Exception):
    """The message says what is missing or in the way, and what to do."""
