"""One clock for a file whose time stamps start anew, or jump too far to be true."""

import math

from mmmsba_plugin.media.container import AvPacket
from mmmsba_plugin.timebase import pts_to_s, s_to_pts

#: A stream whose stamps go back by this much starts anew, in seconds; smaller steps are disorder.
_MAX_STEP_BACK_S = -1.0
#: Longest gaps of a stream, all together, in seconds: recorders pause for minutes. Beyond them
#: stamps are not believed, because a gap costs memory and none of the file's bytes.
MAX_GAPS_S = 1800.0
#: From one packet to the next it takes no longer, in seconds; what exceeds it is a gap.
_USUAL_STEP_S = 1.0

#: How far apart two streams make the same jump at most, in seconds.
_SAME_JUMP_S = 60.0

#: Longest time between the decoding of a frame and its presentation, in seconds; far above any.
_MAX_REORDER_S = 60.0

#: The least number, as a stamp, says that there is none.
_MAX_STAMP = 2**63 - 1


class JoinedClock:
    """Clock of a file in which time stamps start anew, as where recordings were joined.

    What is stored behind such a place is laid behind what lies before it. So is what is stamped
    absurdly later: a gap costs memory, and a stamp is written in no time. Each stream jumps by
    itself, some packets apart; the same jump moves all by as much.

    Attributes:
        joins_s: Where parts were laid end to end, on the clock that is kept, in seconds.
    """

    def __init__(self) -> None:
        self.joins_s: list[float] = []
        self._offsets_s = [0.0]
        self._end_s = -math.inf
        self._recording: dict[int, int] = {}
        self._last_s: dict[int, float] = {}
        self._gaps_s: dict[int, float] = {}

    def place(self, packet: AvPacket) -> None:
        """Move the stamps of a packet to this clock."""
        stamp = packet.pts if packet.dts is None else packet.dts
        if stamp is None or packet.is_discard:
            return
        if packet.pts is not None:
            reorder_s = pts_to_s(packet.pts - stamp, packet.time_base)
            if abs(reorder_s) > _MAX_REORDER_S:
                packet.pts = stamp
        index, stored_s = packet.stream_index, pts_to_s(stamp, packet.time_base)
        recording = self._recording.setdefault(index, len(self._offsets_s) - 1)
        # A stream that begins here is held against how far the others went.
        others_s = self._end_s - self._offsets_s[recording] if self._last_s else stored_s
        last_s = self._last_s.get(index, others_s)
        if self._jumps(index, stored_s - last_s):
            recording = self._recording[index] = self._next_recording(recording, stored_s)
        self._last_s[index] = stored_s
        if offset_s := self._offsets_s[recording]:
            offset = s_to_pts(offset_s, packet.time_base)
            packet.pts, packet.dts = _moved(packet.pts, offset), _moved(packet.dts, offset)
        duration_s = min(pts_to_s(packet.duration or 0, packet.time_base), _USUAL_STEP_S)
        self._end_s = max(self._end_s, stored_s + self._offsets_s[recording] + duration_s)

    def _next_recording(self, recording: int, stored_s: float) -> int:
        """Return the recording that a stream goes on with, which another may have reached first."""
        for later in range(recording + 1, len(self._offsets_s)):
            if abs(stored_s + self._offsets_s[later] - self._end_s) <= _SAME_JUMP_S:
                return later
        self.joins_s.append(self._end_s)
        self._offsets_s.append(self._end_s - stored_s)
        return len(self._offsets_s) - 1

    def _jumps(self, index: int, step_s: float) -> bool:
        """Return whether a step from one packet of a stream to the next is no passing of time."""
        if step_s <= (_MAX_STEP_BACK_S if index in self._last_s else -MAX_GAPS_S):
            return True
        gaps_s = self._gaps_s.get(index, 0.0) + max(0.0, step_s - _USUAL_STEP_S)
        if gaps_s > MAX_GAPS_S:
            return True
        if index in self._last_s:
            self._gaps_s[index] = gaps_s
        return False


def _moved(stamp: int | None, offset: int) -> int | None:
    """Return a stamp plus an offset, within what a packet can hold."""
    return None if stamp is None else max(-_MAX_STAMP, min(stamp + offset, _MAX_STAMP))
