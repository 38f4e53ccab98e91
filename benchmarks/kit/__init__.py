"""What the benchmarks share: trees of users, peers to measure against, engines to watch, tables to write."""
