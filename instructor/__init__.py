"""A class: release notebooks, and marks for what comes back. The guide is instructor/guide.md."""
