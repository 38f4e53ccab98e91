"""How figures become text: pure functions of what is shown."""
