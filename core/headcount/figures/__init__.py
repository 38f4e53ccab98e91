"""What follows from a snapshot: filters, totals, tables, and figures coarse enough to leave the machine. Pure
functions.
"""
