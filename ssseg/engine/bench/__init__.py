"""Measuring where the time of a run goes, on the user's own machine and config."""
