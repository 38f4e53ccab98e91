"""What each command does, one file a command: settings come in, a report, files or an account of what was done
go out.
"""
