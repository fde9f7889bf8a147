"""A list of lines under a fixed heading, drawn only where it is seen. Knows nothing of what the lines say."""

import math
from collections.abc import Hashable

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.widget import Widget

from tui.cells import cell_width, wrap
from tui.console.widgets.line_styles import LineStyles


class LineList(LineStyles, can_focus=True):
    """Base of every list of lines: cursor, scrolling, cached lines, and refreshing no more than changed.

    A line is a gutter (cursor and marks, drawn anew each time) and a body (kept until ``line_key``
    differs). Subclasses say how many lines there are and how one is drawn; what they change they
    refresh by ``refresh_gutter``, ``refresh_cells`` or ``refresh_line_at``, never all of the widget.
    """

    DEFAULT_CSS = """
    LineList {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
    }
    """
    BINDINGS = [
        Binding("up", "cursor_up", "Up", show=False),
        Binding("down", "cursor_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home,ctrl+home", "first", "First", show=False),
        Binding("end,ctrl+end", "last", "Last", show=False),
    ]

    heading = 0
    """Lines above the list that do not scroll."""
    gutter_width = 2
    """Cells on the left of each line that ``draw_gutter`` fills."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.cursor = 0
        """The line the cursor is on; 0 also where there are no lines."""
        self.moved = False
        """Whether anybody moved the cursor."""
        self.lines_drawn = 0
        """How many line bodies were drawn so far. For tests: what is counted cannot drift unseen."""
        self._nothing: list[str] = []
        self._bodies: LRUCache[Hashable, list[Segment]] = LRUCache(512)
        self._inside = Size(0, 0)
        """What is left for lines beside the scroll bar; asking Textual takes as long as drawing a line."""

    # -- for subclasses to say

    def line_count(self) -> int:
        """How many lines there are."""
        raise NotImplementedError

    def line_key(self, index: int) -> Hashable:
        """What decides how the body of a line looks; equal keys are drawn once."""
        raise NotImplementedError

    def draw_body(self, index: int) -> list[Segment]:
        """The line without its gutter. May be too short or too long."""
        raise NotImplementedError

    def draw_gutter(self, index: int) -> list[Segment]:
        """The first ``gutter_width`` cells: the cursor, and what else changes often."""
        sign = self.cursor_sign(index)
        rest = " " * (self.gutter_width - 1)
        return [Segment(sign, self.style("line--cursor")), Segment(rest, self.base_style)]

    @property
    def has_cursor(self) -> bool:
        """Whether there is a line that keys act on; else they only scroll."""
        return True

    def cursor_sign(self, index: int) -> str:
        """What stands before the line under the cursor: solid only in the pane that has the focus."""
        if index != self.cursor or not self.has_cursor:
            return " "
        return "▌" if self.has_focus else "▏"

    def draw_heading(self, y: int) -> list[Segment]:
        """Line ``y`` of the heading."""
        return []

    def cursor_moved(self) -> None:
        """The cursor is on another line, or another thing is on its line."""

    # -- drawing

    def notify_style_update(self) -> None:
        """Textual: the styles are not what they were."""
        super().notify_style_update()
        self._bodies.clear()

    @property
    def body_width(self) -> int:
        """Cells there are for the body of a line."""
        return max(0, self._inside.width - self.gutter_width)

    @property
    def width(self) -> int:
        """Cells of a whole line, gutter included."""
        return self._inside.width

    @property
    def page(self) -> int:
        """Lines that fit below the heading."""
        return max(1, self._inside.height - self.heading)

    @property
    def first(self) -> int:
        """The line right below the heading."""
        return self.scroll_offset.y

    def seen(self) -> range:
        """The lines that are on the screen."""
        first = self.first
        return range(first, min(self.line_count(), first + self.page))

    def render_line(self, y: int) -> Strip:
        """Textual: one line of the widget, counted from its top."""
        if not self._inside:
            self._inside = self.scrollable_content_region.size
        width = self._inside.width
        if y < self.heading:
            return Strip(self._fitted(self.draw_heading(y), width), width)
        index = y - self.heading + self.first
        if index >= self.line_count():
            return self._draw_nothing(index, width)
        key = (width, self.line_key(index))
        body = self._bodies.get(key)
        if body is None:
            self.lines_drawn += 1
            body = self._bodies[key] = self._fitted(self.draw_body(index), self.body_width)
        line = [*self.draw_gutter(index), *body]
        if index == self.cursor and self.has_cursor and self.has_focus:
            plain, over = self.base_style, self.cursor_line_style
            line = [Segment(text, (style or plain) + over) for text, style, _ in line]
        return Strip(list(Segment.simplify(line)), width)

    def explain(self, nothing: list[str]) -> None:
        """Say this where there are no lines."""
        if nothing != self._nothing:
            self._nothing = nothing
            self.refresh_lines_seen()

    def _draw_nothing(self, index: int, width: int) -> Strip:
        room = max(1, width - self.gutter_width - 1)
        said = [part for line in self._nothing for part in wrap(line, room)] if not self.line_count() else []
        text = " " * self.gutter_width + said[index] if index < len(said) else ""
        return Strip(self._fitted([Segment(text, self.base_style)], width), width)

    def _fitted(self, segments: list[Segment], width: int) -> list[Segment]:
        """``segments`` in exactly ``width`` cells."""
        length = sum(cell_width(segment.text) for segment in segments)
        if length > width:
            return list(Strip(segments, length).adjust_cell_length(width))
        if length < width:
            last = segments[-1].style if segments else None
            style = self.base_style if last is None or last.underline else last
            return [*segments, Segment(" " * (width - length), style)]
        return segments

    def refresh_line_at(self, index: int) -> None:
        """Draw one line again, if it is seen."""
        self.refresh_cells(index, 0, self._inside.width)

    def refresh_cursor(self, index: int) -> None:
        """Draw again what shows that the cursor is on a line, or is not any more."""
        self.refresh_cells(index, 0, self._inside.width if self.has_focus else 1)

    def refresh_gutter(self, index: int) -> None:
        """Draw the gutter of one line again, if it is seen."""
        self.refresh_cells(index, 0, self.gutter_width)

    def refresh_cells(self, index: int, x: int, width: int) -> None:
        """Draw ``width`` cells of one line again from ``x`` (gutter included), if they are seen."""
        if width > 0 and index in self.seen():
            self.refresh(Region(x, index - self.first + self.heading, width, 1))

    def refresh_gutters(self, x: int = 0, width: int | None = None) -> None:
        """Draw the gutters of all lines that are seen again, or ``width`` cells of them from ``x``."""
        width = self.gutter_width if width is None else width
        self.refresh(Region(x, self.heading, width, len(self.seen())))

    def refresh_lines_seen(self) -> None:
        """Draw everything below the heading again."""
        self.refresh(Region(0, self.heading, self._inside.width, self.page))

    def refresh_heading(self, y: int, x: int = 0, width: int | None = None) -> None:
        """Draw a line of the heading again, or ``width`` cells of it from ``x``."""
        self.refresh(Region(x, y, self._inside.width if width is None else width, 1))

    def lines_changed(self) -> None:
        """There are other lines, or more, or fewer: draw all. The layout of the screen is not redone."""
        size = Size(0, self.line_count() + self.heading)
        if size != self.virtual_size:
            self.set_reactive(Widget.virtual_size, size)
            if self.is_mounted:
                bar = self.vertical_scrollbar
                bar.window_virtual_size = size.height
                bar.window_size = self._inside.height
        self.cursor = max(0, min(self.cursor, self.line_count() - 1))
        if self.is_mounted:
            self.scroll_y = self.validate_scroll_y(self.scroll_y)
            self.scroll_target_y = self.scroll_y
            self.refresh_lines_seen()

    def on_resize(self) -> None:
        """Textual: keep the cursor in sight, and draw all for the new width, the heading too."""
        self._inside = self.scrollable_content_region.size
        self.lines_changed()
        self.show_cursor()
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Textual: scrolled. The heading stays as it is, and the bar where its thumb was not and is not."""
        if self.show_vertical_scrollbar:
            bar = self.vertical_scrollbar
            before = self._thumb(old_value)
            bar.set_reactive(ScrollBar.position, new_value)
            if (now := self._thumb(new_value)) != before:
                for top, bottom in (before, now):
                    bar.refresh(Region(0, top, bar.size.width, bottom - top))
        if round(old_value) != round(new_value):
            self.refresh_lines_seen()

    def _thumb(self, position: float) -> tuple[int, int]:
        """The cells of the scroll bar that its thumb touches at ``position``: the first, and the end."""
        bar = self.vertical_scrollbar
        height, total, window = bar.size.height, bar.window_virtual_size, bar.window_size
        if not height or total <= window:
            return 0, height
        length = max(1, window * height / total)
        top = (height - length) * position / (total - window)
        return max(0, math.floor(top)), min(height, math.ceil(top + length) + 1)

    # -- the cursor

    def move_cursor(self, index: int, *, scroll: bool = True) -> bool:
        """Put the cursor on line ``index``, or the nearest there is; returns whether it moved."""
        index = max(0, min(index, self.line_count() - 1))
        before, first_time, self.moved = self.cursor, not self.moved, True
        if first_time:
            self.refresh_gutter(before)
        if index == before:
            if scroll:
                self.show_cursor()
            return False
        self.cursor = index
        self.refresh_cursor(before)
        if scroll:
            self.show_cursor()
        self.refresh_cursor(index)
        self.cursor_moved()
        return True

    def show_cursor(self) -> None:
        """Scroll as little as brings the cursor into sight."""
        if not self.is_mounted or not self.size:
            return
        if self.cursor < self.first:
            self.show_line(self.cursor)
        elif self.cursor >= self.first + self.page:
            self.show_line(self.cursor - self.page + 1)

    def show_line(self, index: int) -> None:
        """Scroll so that line ``index`` is the first, as far as that goes."""
        self.scroll_to(y=index, animate=False, force=True)

    def action_cursor_up(self) -> None:
        """One line up."""
        self.move_cursor(self.cursor - 1)

    def action_cursor_down(self) -> None:
        """One line down."""
        self.move_cursor(self.cursor + 1)

    def action_page_up(self) -> None:
        """One page up."""
        self._page(-self.page)

    def action_page_down(self) -> None:
        """One page down."""
        self._page(self.page)

    def action_first(self) -> None:
        """The first line."""
        self.move_cursor(0)

    def action_last(self) -> None:
        """The last line."""
        self.move_cursor(self.line_count() - 1)

    def _page(self, step: int) -> None:
        """Cursor and window move together, so that the cursor stays where the eye is."""
        self.scroll_to(y=self.first + step, animate=False, force=True)
        self.move_cursor(self.cursor + step)

    def line_at(self, y: int) -> int | None:
        """The line at ``y``, counted from the top of the widget's content; None beside the lines."""
        index = y - self.heading + self.first
        return index if y >= self.heading and index < self.line_count() else None

    def on_focus(self) -> None:
        """Textual: the cursor and the title look different with the focus."""
        self._focus_changed()

    def on_blur(self) -> None:
        """Textual: the cursor and the title look different without the focus."""
        self._focus_changed()

    def _focus_changed(self) -> None:
        self.refresh_line_at(self.cursor)
        if self.heading:
            self.refresh_heading(0)

    def on_click(self, event: events.Click) -> None:
        """Textual: the cursor goes to the line that was clicked."""
        offset = event.get_content_offset(self)
        index = None if offset is None else self.line_at(offset.y)
        if offset is not None and index is not None:
            self.line_clicked(index, offset.x, event)
        elif offset is not None and offset.y < self.heading:
            self.heading_clicked(offset.y, offset.x)

    def line_clicked(self, index: int, x: int, event: events.Click) -> None:
        """A line was clicked, ``x`` cells from its left end."""
        self.move_cursor(index, scroll=False)

    def heading_clicked(self, y: int, x: int) -> None:
        """The heading was clicked."""
