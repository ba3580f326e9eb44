"""Settings that every test shares, those of the notebooks as well."""

import os
import sys

import pytest
from hypothesis import settings

# No timing in unit tests, and the same examples on every run: a failure can be reproduced by anybody.
settings.register_profile("book", deadline=None, derandomize=True)
settings.load_profile("book")
# A notebook's kernel inherits these: a progress bar would differ from run to run, and threads of several processes
# would wait for each other.
os.environ |= {"TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"}


class WithoutTorch:
    """Skips whatever imports PyTorch, a whole file or a test, where the rest is tried with another Python."""

    def find_spec(self, name, path=None, target=None):
        """Find nothing; called before all that find modules."""
        if name == "torch":
            pytest.skip("needs PyTorch", allow_module_level=True)


if os.environ.get("BOOK_WITHOUT_TORCH"):
    sys.meta_path.insert(0, WithoutTorch())
