"""Drawing of a scroll bar only where its thumb moved: Textual draws all of it, at each line that scrolls."""

import math

from textual.geometry import Region
from textual.scrollbar import ScrollBar


def move_thumb(bar: ScrollBar, before: float, now: float) -> None:
    """Set the position of a vertical scroll bar, and draw the cells that its thumb left or entered."""
    bar.set_reactive(ScrollBar.position, now)
    if (old := thumb(bar, before)) != (new := thumb(bar, now)):
        for top, bottom in (old, new):
            bar.refresh(Region(0, top, bar.size.width, bottom - top))


def thumb(bar: ScrollBar, position: float) -> tuple[int, int]:
    """Return the cells that the thumb touches at ``position``, as (start, end)."""
    height, total, window = bar.size.height, bar.window_virtual_size, bar.window_size
    if not height or total <= window:
        return 0, height
    length = max(1, window * height / total)
    top = (height - length) * position / (total - window)
    return max(0, math.floor(top)), min(height, math.ceil(top + length) + 1)
