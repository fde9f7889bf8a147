"""A list of lines under a fixed heading, drawn only where it is on the screen."""

from collections.abc import Hashable

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from tui.cells import cell_width, wrap
from tui.console.widgets.line_styles import LineStyles
from tui.console.widgets.scroll_bar import move_thumb


class LineList(LineStyles, can_focus=True):
    """Base of every list: cursor, scrolling, a cache of lines, and refreshing only cells that changed.

    A line is a gutter (cursor and marks, always drawn) and a body (cached until ``line_key`` differs).
    Subclasses return the number of lines and draw one; they refresh what they change by
    ``refresh_gutter``, ``refresh_cells`` or ``refresh_line_at``, never the whole widget.
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
        """Whether the operator moved the cursor."""
        self.lines_drawn = 0
        """How many line bodies were drawn so far, for tests."""
        self._explanation: list[str] = []
        self._bodies: LRUCache[Hashable, list[Segment]] = LRUCache(512)
        self._inside = Size(0, 0)
        """The size without the scroll bar; computing it takes Textual as long as drawing a line."""

    # -- for subclasses

    def line_count(self) -> int:
        """How many lines there are."""
        raise NotImplementedError

    def line_key(self, index: int) -> Hashable:
        """What the body of a line depends on; lines with equal keys are drawn once."""
        raise NotImplementedError

    def draw_body(self, index: int) -> list[Segment]:
        """Draw the line without its gutter, in any number of cells."""
        raise NotImplementedError

    def draw_gutter(self, index: int) -> list[Segment]:
        """Draw the first ``gutter_width`` cells: the cursor, and what else changes often."""
        sign = self.cursor_sign(index)
        rest = " " * (self.gutter_width - 1)
        return [Segment(sign, self.style("line--cursor")), Segment(rest, self.base_style)]

    @property
    def has_cursor(self) -> bool:
        """Whether keys act on a line; else they only scroll."""
        return True

    def cursor_sign(self, index: int) -> str:
        """The sign before the line under the cursor: solid in the focused pane, thin elsewhere."""
        if index != self.cursor or not self.has_cursor:
            return " "
        return "▌" if self.has_focus else "▏"

    def draw_heading(self, y: int) -> list[Segment]:
        """Draw line ``y`` of the heading."""
        return []

    def cursor_moved(self) -> None:
        """Called when the cursor is on another line, or its line shows something else."""

    # -- drawing

    def notify_style_update(self) -> None:
        """Textual: the styles changed."""
        super().notify_style_update()
        self._bodies.clear()

    @property
    def body_width(self) -> int:
        """Cells of the body of a line."""
        return max(0, self._inside.width - self.gutter_width)

    @property
    def width(self) -> int:
        """Cells of a whole line, gutter included."""
        return self._inside.width

    @property
    def page(self) -> int:
        """How many lines fit below the heading."""
        return max(1, self._inside.height - self.heading)

    @property
    def first(self) -> int:
        """The first line on the screen."""
        return self.scroll_offset.y

    def seen(self) -> range:
        """The lines on the screen."""
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
            return self._draw_empty_line(index, width)
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

    def explain(self, explanation: list[str]) -> None:
        """Show these lines while the list is empty."""
        if explanation != self._explanation:
            self._explanation = explanation
            self.refresh_lines_seen()

    def _draw_empty_line(self, index: int, width: int) -> Strip:
        room = max(1, width - self.gutter_width - 1)
        lines = [] if self.line_count() else self._explanation
        texts = [part for line in lines for part in wrap(line, room)]
        text = " " * self.gutter_width + texts[index] if index < len(texts) else ""
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
        """Draw one line again, if it is on the screen."""
        self.refresh_cells(index, 0, self._inside.width)

    def refresh_cursor(self, index: int) -> None:
        """Draw the cursor on a line again, or the line without it."""
        self.refresh_cells(index, 0, self._inside.width if self.has_focus else 1)

    def refresh_gutter(self, index: int) -> None:
        """Draw the gutter of one line again, if it is on the screen."""
        self.refresh_cells(index, 0, self.gutter_width)

    def refresh_cells(self, index: int, x: int, width: int) -> None:
        """Draw ``width`` cells of a line again from ``x``, gutter included, if it is on the screen."""
        if width > 0 and index in self.seen():
            self.refresh(Region(x, index - self.first + self.heading, width, 1))

    def refresh_gutters(self, x: int = 0, width: int | None = None) -> None:
        """Draw the gutters of all lines on the screen again, or ``width`` cells of them from ``x``."""
        width = self.gutter_width if width is None else width
        self.refresh(Region(x, self.heading, width, len(self.seen())))

    def refresh_lines_seen(self) -> None:
        """Draw everything below the heading again."""
        self.refresh(Region(0, self.heading, self._inside.width, self.page))

    def refresh_heading(self, y: int, x: int = 0, width: int | None = None) -> None:
        """Draw a line of the heading again, or ``width`` cells of it from ``x``."""
        self.refresh(Region(x, y, self._inside.width if width is None else width, 1))

    def lines_changed(self) -> None:
        """Draw all lines after their number or order changed, without a new layout of the screen."""
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
        """Textual: keep the cursor on the screen, and draw everything for the new width."""
        self._inside = self.scrollable_content_region.size
        self.lines_changed()
        self.show_cursor()
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Textual: draw the lines after scrolling, and of the scroll bar only where its thumb moved."""
        if self.show_vertical_scrollbar:
            move_thumb(self.vertical_scrollbar, old_value, new_value)
        if round(old_value) != round(new_value):
            self.refresh_lines_seen()

    # -- the cursor

    def move_cursor(self, index: int, *, scroll: bool = True) -> bool:
        """Put the cursor on line ``index``, or the nearest that exists; return whether it moved."""
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
        """Scroll no more than needed to have the cursor on the screen."""
        if not self.is_mounted or not self.size:
            return
        if self.cursor < self.first:
            self.show_line(self.cursor)
        elif self.cursor >= self.first + self.page:
            self.show_line(self.cursor - self.page + 1)

    def show_line(self, index: int) -> None:
        """Scroll line ``index`` to the top, as far as possible."""
        self.scroll_to(y=index, animate=False, force=True)

    def action_cursor_up(self) -> None:
        """Move the cursor one line up."""
        self.move_cursor(self.cursor - 1)

    def action_cursor_down(self) -> None:
        """Move the cursor one line down."""
        self.move_cursor(self.cursor + 1)

    def action_page_up(self) -> None:
        """Move the cursor one page up."""
        self._page(-self.page)

    def action_page_down(self) -> None:
        """Move the cursor one page down."""
        self._page(self.page)

    def action_first(self) -> None:
        """Move the cursor to the first line."""
        self.move_cursor(0)

    def action_last(self) -> None:
        """Move the cursor to the last line."""
        self.move_cursor(self.line_count() - 1)

    def _page(self, step: int) -> None:
        """Move cursor and window together, so that the cursor keeps its place on the screen."""
        self.scroll_to(y=self.first + step, animate=False, force=True)
        self.move_cursor(self.cursor + step)

    def line_at(self, y: int) -> int | None:
        """Return the line at ``y``, counted from the top of the content; None where there is none."""
        index = y - self.heading + self.first
        return index if y >= self.heading and index < self.line_count() else None

    def on_focus(self) -> None:
        """Textual: draw cursor and title with the focus."""
        self._focus_changed()

    def on_blur(self) -> None:
        """Textual: draw cursor and title without the focus."""
        self._focus_changed()

    def _focus_changed(self) -> None:
        self.refresh_line_at(self.cursor)
        if self.heading:
            self.refresh_heading(0)

    def on_click(self, event: events.Click) -> None:
        """Textual: pass the click on to the line or the heading."""
        offset = event.get_content_offset(self)
        index = None if offset is None else self.line_at(offset.y)
        if offset is not None and index is not None:
            self.line_clicked(index, offset.x, event)
        elif offset is not None and offset.y < self.heading:
            self.heading_clicked(offset.y, offset.x)

    def line_clicked(self, index: int, x: int, event: events.Click) -> None:
        """Handle a click on a line, ``x`` cells from its left end."""
        self.move_cursor(index, scroll=False)

    def heading_clicked(self, y: int, x: int) -> None:
        """Handle a click on the heading."""
