"""The client: a terminal UI, headless commands for scripts, and the blocking `Connection` under both."""
