"""Explain: for one served value, where it comes from and what it should be exactly."""
