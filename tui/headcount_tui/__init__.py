"""Headcount's screen. It shows the core's snapshots and knows nothing of how they came about."""
