"""`python -m gitca` is the `gitca` command."""

from gitca.cli import main

if __name__ == "__main__":
    main()
