"""The server: connections in one process, truth in a second, delivery in a pool of others. Linux only."""
