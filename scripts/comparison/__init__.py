"""Every concurrency model under the same load."""
