"""When requests come: an open loop that does not wait for answers. Pure."""

from random import Random


def poisson(rate: float, seconds: float, seed: int) -> tuple[float, ...]:
    """The seconds at which requests come: `rate` a second on average, independent of each other, the same per seed."""
    rng = Random(seed)
    moments: list[float] = []
    moment = rng.expovariate(rate)
    while moment < seconds:
        moments.append(moment)
        moment += rng.expovariate(rate)
    return tuple(moments)
