"""A real Prosody is the judge: real clients log in, and Headcount is held to what the server did."""
