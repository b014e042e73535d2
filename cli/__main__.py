"""`python -m cli` is `model-router`."""

from cli.main import main

if __name__ == "__main__":
    main()
