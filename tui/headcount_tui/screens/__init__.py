"""Screens: the main one, and the boxes that open over it."""
