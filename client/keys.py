"""The keys, as the field's clients have agreed on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition, has_completions
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent


class Actions(Protocol):
    """What keys do."""

    def submit(self) -> None: ...
    def scroll_pages(self, pages: float) -> None: ...
    def to_newest(self) -> None: ...
    def next_room(self, step: int) -> None: ...
    def go_to_place(self, place: int) -> None: ...
    def next_with_news(self) -> None: ...
    def escape(self) -> None: ...
    def edit_refused(self) -> None: ...
    def drop_refused(self) -> None: ...
    def toggle_rooms(self) -> None: ...
    def toggle_members(self) -> None: ...
    def help(self) -> None: ...
    def quit(self) -> None: ...


def bindings(actions: Actions, typed: Buffer) -> KeyBindings:
    """The bindings that call `actions`; `typed` is the input line."""
    keys = KeyBindings()
    at_its_end = Condition(lambda: typed.document.is_cursor_at_the_end)
    simple: dict[tuple[str, ...], Callable[[], None]] = {
        ("pageup",): lambda: actions.scroll_pages(1),
        ("pagedown",): lambda: actions.scroll_pages(-1),
        ("c-n",): lambda: actions.next_room(1),
        ("c-p",): lambda: actions.next_room(-1),
        ("escape", "a"): actions.next_with_news,
        ("escape", "e"): actions.edit_refused,
        ("escape", "x"): actions.drop_refused,
        ("f1",): actions.help,
        ("f7",): actions.toggle_rooms,
        ("f8",): actions.toggle_members,
    }
    for place in range(1, 10):
        simple["escape", str(place)] = _goer(actions, place)
    for sequence, call in simple.items():
        keys.add(*sequence)(_ignoring_event(call))
    keys.add("end", filter=at_its_end)(_ignoring_event(actions.to_newest))
    keys.add("escape", filter=~has_completions)(_ignoring_event(actions.escape))

    @keys.add("enter", filter=~has_completions)
    def _(event: KeyPressEvent) -> None:
        actions.submit()

    @keys.add("enter", filter=has_completions)
    def _(event: KeyPressEvent) -> None:
        chosen = typed.complete_state is not None and typed.complete_state.current_completion is not None
        typed.cancel_completion() if not chosen else setattr(typed, "complete_state", None)
        if not chosen:
            actions.submit()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        typed.insert_text("\n")

    @keys.add("c-c")
    def _(event: KeyPressEvent) -> None:
        if typed.text:
            typed.reset()
        else:
            actions.quit()

    @keys.add("c-d", filter=Condition(lambda: not typed.text))
    def _(event: KeyPressEvent) -> None:
        actions.quit()

    return keys


def _goer(actions: Actions, place: int) -> Callable[[], None]:
    return lambda: actions.go_to_place(place)


def _ignoring_event(call: Callable[[], None]) -> Callable[[KeyPressEvent], None]:
    return lambda event: call()
