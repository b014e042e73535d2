"""How fast a deployment answers: a line through its good calls, as sums that fade. Written by the ledger; no I/O."""

from dataclasses import dataclass, field
from math import sqrt
from statistics import NormalDist

# A call counts half after this long, and no more than so many are remembered: a brown-out shows within about 30 calls.
# The ledger's script, which writes the sums, uses the same numbers.
HALF_LIFE_S = 15.0
MOST_CALLS = 30.0
# A call so many times slower or faster than expected speaks of a change: what was known counts only a quarter then.
SURPRISE, BELIEVED = 3.0, 0.25
# What no answer has, and no call takes: a provider that says so must not spoil the sums.
MOST_TOKENS, LONGEST_MS = 1e7, 1e9
# How many tokens an answer is taken to have where nobody says.
USUAL_TOKENS = 256
# The prior: the time to the first token is worth that of so many tokens.
_TTFT_TOKENS = 50.0
# As if one call had missed the line by this share of the mean: two calls on a line are no proof of it.
_PRIOR_MISS = 0.2
# Token counts that differ by less, as a share of their mean square, do not differ but for rounding.
_LEAST_VARIANCE = 1e-9
# Calls that took no time say nothing but that.
_LEAST_MS = 1e-3
# More than MOST_CALLS of the longest come to.
_LARGEST_SUM = 1e20
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Speed:
    """Decayed sums over good calls as of the last of them, `last_s` (Unix seconds): x is completion tokens, y ms.

    They do not fade while nobody calls: what was measured last is what is known. From them comes a line,
    duration = ttft_ms + ms_per_token * tokens, by least squares drawn towards a prior, always through the mean and
    never with a negative part.
    """

    n: float = 0.0
    x: float = 0.0
    xx: float = 0.0
    y: float = 0.0
    yy: float = 0.0
    xy: float = 0.0
    last_s: float = 0.0
    # What every plan asks, worked out once. All 0 where nothing is known.
    ttft_ms: float = field(init=False, compare=False)
    ms_per_token: float = field(init=False, compare=False)
    # The standard deviation of calls around the line.
    spread_ms: float = field(init=False, compare=False)

    def __post_init__(self) -> None:
        ttft_ms, ms_per_token, spread_ms = _line(self) if self.known else (0.0, 0.0, 0.0)
        object.__setattr__(self, "ttft_ms", ttft_ms)
        object.__setattr__(self, "ms_per_token", ms_per_token)
        object.__setattr__(self, "spread_ms", spread_ms)

    @property
    def known(self) -> bool:
        """Whether there was any good call; the newest counts as one."""
        return self.n >= 1

    @property
    def mean_tokens(self) -> float:
        """The usual length of an answer in completion tokens; USUAL_TOKENS where nothing is known."""
        return self.x / self.n if self.known else USUAL_TOKENS

    @property
    def mean_ms(self) -> float:
        """The mean duration of an answer, ms; 0 where nothing is known."""
        return self.y / self.n if self.known else 0.0

    @property
    def tokens_per_s(self) -> float:
        """What half of the answers reach, in tokens per second."""
        return self.throughput(0.5)

    def expected_ms(self, tokens: float) -> float:
        """How long an answer of so many completion tokens is expected to take."""
        return self.ttft_ms + self.ms_per_token * tokens

    def percentile_ms(self, tokens: float, share: float) -> float:
        """What so large a share (0..1, both excluded) of answers of this length stay under: mean + z * spread.

        It takes durations for normal. They have a longer tail than that, so high percentiles come out low.
        """
        return max(self.expected_ms(tokens) + _NORMAL.inv_cdf(share) * self.spread_ms, 0.0)

    def throughput(self, share: float) -> float:
        """The tokens per second that so large a share of answers of USUAL_TOKENS reach; none takes less than 1 ms.

        From the call to its end, as OpenRouter measures throughput, and at one length, so that all can be compared.
        """
        return 1000 * USUAL_TOKENS / max(self.percentile_ms(USUAL_TOKENS, share), 1.0)

    def after(self, duration_ms: float, completion_tokens: float, now: float) -> "Speed":
        """With one good call more. An answer of unknown length (0 tokens) counts as one of the usual length.

        The same as evidence.lua, which writes what this reads. A stream's first chunk could be one more point of the
        same line: (0 tokens, its time in ms).
        """
        tokens = min(completion_tokens, MOST_TOKENS) if completion_tokens > 0 else self.mean_tokens
        took_ms = min(duration_ms, LONGEST_MS)
        kept = 0.5 ** (max(now - self.last_s, 0.0) / HALF_LIFE_S)
        if self.known and self._surprises(tokens, took_ms):
            kept *= BELIEVED
        point = (1.0, tokens, tokens * tokens, took_ms, took_ms * took_ms, tokens * took_ms)
        before = (self.n, self.x, self.xx, self.y, self.yy, self.xy)
        sums = [old * kept + new for old, new in zip(before, point, strict=True)]
        scale = min(1.0, MOST_CALLS / sums[0])
        n, x, xx, y, yy, xy = (total * scale for total in sums)
        return Speed(n, x, xx, y, yy, xy, now)

    def _surprises(self, tokens: float, took_ms: float) -> bool:
        """Whether a call is far from the mean, whether length counts for nothing or is all that counts."""
        flat_ms, steep_ms = self.mean_ms, self.mean_ms * tokens / self.mean_tokens
        return took_ms > SURPRISE * max(flat_ms, steep_ms) or took_ms * SURPRISE < min(flat_ms, steep_ms)


UNKNOWN = Speed()


def parse(words: tuple[float, ...]) -> Speed | None:
    """The ledger's seven numbers, `n x xx y yy xy last_ms`; None where one is not a number the ledger would write."""
    if len(words) != 7 or not all(0 <= word <= _LARGEST_SUM for word in words):
        return None
    n, x, xx, y, yy, xy, last_ms = words
    return Speed(n, x, xx, y, yy, xy, last_ms / 1000)


def _line(sums: Speed) -> tuple[float, float, float]:
    """ttft_ms, ms_per_token and the spread in ms around them.

    The prior is a line through the mean on which the first token takes as long as 50 more. The slope is the weighted
    mean of its slope and that of least squares, each weighted by how sure it is (Bayes' rule with a normal prior as
    wide as the prior's own slope): the less the token counts vary, and the more the durations do, the nearer to the
    prior.
    """
    n, mean_x, mean_y = sums.n, sums.x / sums.n, sums.y / sums.n
    if mean_y < _LEAST_MS:
        return mean_y, 0.0, 0.0
    mean_xx = sums.xx / n
    var_x, var_y = mean_xx - mean_x * mean_x, max(sums.yy / n - mean_y * mean_y, 0.0)
    cov = sums.xy / n - mean_x * mean_y
    if var_x <= _LEAST_VARIANCE * mean_xx:
        var_x = cov = 0.0
    explained = min(cov * cov / var_x, var_y) if var_x > 0 else 0.0
    noise = _variance(n, var_y - explained, mean_y)
    prior_slope = mean_y / (mean_x + _TTFT_TOKENS)
    doubt = noise / (prior_slope * prior_slope)
    slope = max((n * cov + doubt * prior_slope) / (n * var_x + doubt), 0.0)
    if mean_x > 0:
        slope = min(slope, mean_y / mean_x)
    missed = max(var_y - 2 * slope * cov + slope * slope * var_x, 0.0)
    return max(mean_y - slope * mean_x, 0.0), slope, sqrt(_variance(n, missed, mean_y))


def _variance(n: float, found: float, mean_y: float) -> float:
    """A variance found in n calls, and in one more that missed by the prior."""
    miss = _PRIOR_MISS * mean_y
    return (n * found + miss * miss) / (n + 1)
