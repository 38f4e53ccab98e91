"""Who is counted, and where: records come in, counts go out. Nothing here reads a file, keeps anything or asks
what time it is.
"""
