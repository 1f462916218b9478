"""How far a share of few can be trusted: one false alarm in forty clips is 0.4 % to 13 %."""

import math

from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.evaluation.intervals import Interval

#: Of the normal distribution, for 95 %.
_QUANTILE = 1.959963984540054


def wilson(num_hits: int, num_clips: int) -> Interval:
    """Return a share with its 95 % interval, which is never empty, even at 0 or all.

    It takes clips for independent. Where several are of one person they are not, and the
    truth lies outside more often.

    Args:
        num_hits: How many clips have what is counted.
        num_clips: How many there are.

    Returns:
        The share and its interval; all NaN where there are no clips.

    Raises:
        DatasetError: There are more hits than clips, or fewer than none.

    Example:
        >>> found = wilson(1, 40)
        >>> round(found.low, 4), found.value, round(found.high, 4)
        (0.0044, 0.025, 0.1288)

    Source:
        Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927.
    """
    if not 0 <= num_hits <= num_clips:
        raise DatasetError(
            f"need hits between none and all, got {num_hits} of {num_clips} clips; count again"
        )
    if num_clips == 0:
        return Interval(math.nan, math.nan, math.nan)
    share = num_hits / num_clips
    weight = _QUANTILE**2 / num_clips
    middle = (share + weight / 2) / (1 + weight)
    reach = math.sqrt(share * (1 - share) * weight + weight**2 / 4) / (1 + weight)
    # At the ends the sums are exact but for rounding.
    low, high = max(0.0, middle - reach), min(1.0, middle + reach)
    return Interval(share, 0.0 if num_hits == 0 else low, 1.0 if num_hits == num_clips else high)
