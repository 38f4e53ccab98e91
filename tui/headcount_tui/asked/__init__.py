"""What the user asks to see, and with which keys. No widget is known here."""
