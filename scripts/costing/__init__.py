"""What the parts of each concurrency model cost."""
