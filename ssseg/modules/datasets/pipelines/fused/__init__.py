"""The training transforms in another order of work, with the same draws: what training does, not what users call."""
