"""Headcount's core: reads what an XMPP server wrote and counts its users, without watching anyone."""

__version__ = "0.1.0"
