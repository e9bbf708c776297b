"""`python -m ssseg`."""

import sys

from .cli.main import main

sys.exit(main())
