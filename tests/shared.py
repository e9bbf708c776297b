"""Where the real photographs lie, beside the project; tests that read them skip where they are absent."""

from pathlib import Path

DATA = Path(__file__).parents[2] / "shared" / "data"
