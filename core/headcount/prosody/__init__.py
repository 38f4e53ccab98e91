"""What a Prosody server writes: names on disk, Lua tables as data, stores. Nothing else knows Prosody."""
