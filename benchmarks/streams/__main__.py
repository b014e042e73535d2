"""`python -m benchmarks.streams`."""

from benchmarks.streams.command import main

if __name__ == "__main__":
    main()
