"""What `scripts/*.sh` run: the same as `ssseg infer`, with the arguments that users type today."""

import sys

from ssseg.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["infer", *sys.argv[1:]]))
