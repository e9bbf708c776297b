"""Point-wise spatial attention."""
