"""Settings that every test shares, those of the notebooks as well."""

import os

from hypothesis import settings

# No timing in unit tests, and the same examples on every run: a failure can be reproduced by anybody.
settings.register_profile("book", deadline=None, derandomize=True)
settings.load_profile("book")
# A notebook's kernel inherits this: a progress bar would differ from run to run.
os.environ["TQDM_DISABLE"] = "1"
