"""What a run cannot exceed, because of how numbers are laid out in its records."""

MOST_STEPS = 1 << 32      # the number of a step is one 32-bit word of the counter of each random number
MOST_CLONES = 65_535        # rows of the table of clones: what fits into the 16 bits of a record
MOST_RATES = 64             # events that cells in tissue may have, which is what the kernel's tables hold
MOST_SIGNALS = 64           # fields, and factors in Python, that their rates may depend on
MOST_SUPPLIED = 16          # fields that come out of vessels
FARTHEST = 181              # voxels from the outline, told from more: the largest whose square fits into 15 bits
EDGE = 8                    # voxels along the edge of a tile
ALONG = (EDGE, 4, 2)        # values that a field may have along it
