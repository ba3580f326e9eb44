"""Scripts that a person runs, and what the site's build shares with them."""
