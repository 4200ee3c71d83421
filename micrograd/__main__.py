"""`python -m micrograd`: see `cli.py`."""

import sys

from micrograd.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
