"""Where an address is: an address comes in, a place goes out. GeoIP files are read here alone."""
