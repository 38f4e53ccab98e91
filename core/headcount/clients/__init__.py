"""Which client a resource tells of: a resource comes in, a client type goes out."""
