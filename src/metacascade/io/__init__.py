"""Files: written whole or not at all, sealed, the same bytes on any number of ranks."""
