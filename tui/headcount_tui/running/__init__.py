"""What runs beside the screen: the feed, the watch over its end, what it remembers, the pictures and files it
writes.
"""
