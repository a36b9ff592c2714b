"""Where things are: tiles and their arrays, fields, vessels and networks, the first cells."""
