"""A simulated server that writes what a real Prosody writes, so that all can be tried without one."""
