"""The garbage collector of a long-lived process."""

import gc


def settle() -> None:
    """Take what start-up made out of the collector's rounds: its long ones are what waiting requests feel."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
