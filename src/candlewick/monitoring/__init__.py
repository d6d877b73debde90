"""What the running service shows of itself: counts, windows, figures at a scrape, health."""
