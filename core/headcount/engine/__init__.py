"""The one moving part: it pulls records from a source, has them counted and kept, and hands out snapshots."""
