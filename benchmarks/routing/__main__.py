"""`python -m benchmarks.routing`: patches the standard library before all else, so that thousands can wait at once."""

from gevent import monkey

monkey.patch_all()

from benchmarks.routing.command import main  # noqa: E402 - after the patch, as gevent demands

if __name__ == "__main__":
    main()
