"""`python -m rollbook.core` is the command `rollbook`."""

from .cli import main

if __name__ == "__main__":
    main()
