"""The same server under other concurrency models."""
