"""Compare: another platform's figures beside ours, and why they differ."""
