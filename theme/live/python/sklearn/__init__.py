"""Of scikit-learn what ``utils.datasets`` takes from it."""
