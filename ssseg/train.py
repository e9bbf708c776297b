"""What `scripts/*.sh` run: the same as `ssseg train`, with the arguments that users type today."""

import sys

from ssseg.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
