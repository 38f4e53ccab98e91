"""Widgets: each draws one part of what is shown, and repaints only what changed."""
