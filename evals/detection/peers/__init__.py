"""The detectors that ours is compared with, each a small `Method` with one generic setting."""
