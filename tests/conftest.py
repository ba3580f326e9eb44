"""Settings that every test shares."""

from hypothesis import settings

# No timing in unit tests, and the same examples on every run: a failure can be reproduced by anybody.
settings.register_profile("book", deadline=None, derandomize=True)
settings.load_profile("book")
