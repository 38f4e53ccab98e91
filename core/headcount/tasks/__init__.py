"""What the commands do that neither the engine nor the demo does: settings come in, a report, files or an account of
what was done go out.
"""
