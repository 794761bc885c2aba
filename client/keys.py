"""The keys, as the field's clients have agreed on them. A user's config may give an action another key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition, has_completions, has_selection
from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.key_binding import KeyBindings, KeyBindingsBase, KeyPressEvent
from prompt_toolkit.keys import Keys

from client.failures import Usage

FOCUS_IN, FOCUS_OUT = Keys.F23, Keys.F24
"""What the terminal says when it gets or loses the focus, as keys that no keyboard has."""

LONG_PASTE = 20
"""Lines that are pasted without asking."""


@dataclass(frozen=True, slots=True)
class Action:
    """A key that can be changed, and what it does: the name of a method of `actions`, with its argument."""

    key: str
    shown: str
    help: str
    method: str
    argument: Any = None


ACTIONS: dict[str, Action] = {
    "help": Action("f1", "F1", "this list", "help"),
    "models": Action("f2", "F2", "every concurrency model at work, in the server and here", "toggle_models"),
    "rooms-pane": Action("f7", "F7", "show or hide the rooms", "toggle_rooms"),
    "members-pane": Action("f8", "F8", "show or hide the members", "toggle_members"),
    "next-room": Action("c-n", "Ctrl+N", "the next room", "next_room", 1),
    "previous-room": Action("c-p", "Ctrl+P", "the previous room", "next_room", -1),
    "next-activity": Action("escape a", "Alt+A", "the next room with news, mentions first", "next_with_news"),
    "jump": Action("c-k", "Ctrl+K", "go to a room or person by a part of the name", "jump"),
    "find": Action("c-f", "Ctrl+F", "find in this room", "find"),
    "page-up": Action("pageup", "PgUp", "scroll back", "scroll_pages", 1),
    "page-down": Action("pagedown", "PgDn", "scroll forward", "scroll_pages", -1),
    "first-unread": Action("escape u", "Alt+U", "the first message not read", "first_unread"),
    "edit-refused": Action("escape e", "Alt+E", "edit a message that was refused", "edit_refused"),
    "drop-refused": Action("escape x", "Alt+X", "drop a message that was refused", "drop_refused"),
}
"""By the name that config.toml uses."""

FIXED = (
    f"{'Alt+1 … Alt+9':<24} that room",
    f"{'End':<24} the newest message, when the cursor is at the line's end",
    f"{'Tab':<24} complete a name, room, command, or :emoji",
    f"{'Up, Down':<24} what was typed before",
    f"{'Alt+Enter':<24} a new line",
    f"{'Ctrl+X Ctrl+E':<24} write in $EDITOR",
    f"{'Esc':<24} close this, or give no answer",
    f"{'Ctrl+C, Ctrl+D':<24} empty the line; on an empty line, quit",
)
"""The keys that can't be changed."""


def bindings(actions: Any, typed: Buffer, changed: Mapping[str, str]) -> KeyBindingsBase:
    """The bindings that call methods of `actions`; `typed` is the input line. Raises `Usage` for a bad change."""
    keys = KeyBindings()
    for name in changed.keys() - ACTIONS.keys():
        raise Usage(f"config.toml: there is no action {name}; there are {', '.join(ACTIONS)}.")
    for name, action in ACTIONS.items():
        try:
            keys.add(*changed.get(name, action.key).split())(_caller(actions, action))
        except ValueError as error:
            raise Usage(f"config.toml: {name} can't have that key: {error}.") from error
    for place in range(1, 10):
        keys.add("escape", str(place))(_goer(actions, place))
    keys.add("end", filter=Condition(lambda: typed.document.is_cursor_at_the_end))(lambda event: actions.to_newest())
    keys.add("escape", filter=~has_completions & ~has_selection)(lambda event: actions.escape())
    keys.add(FOCUS_IN)(lambda event: actions.focus(True))
    keys.add(FOCUS_OUT)(lambda event: actions.focus(False))
    _editing(keys, actions, typed)
    return keys


def _editing(keys: KeyBindings, actions: Any, typed: Buffer) -> None:
    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        state = typed.complete_state
        if state is not None and state.current_completion is not None:
            typed.complete_state = None  # Enter takes what is chosen in the menu
        else:
            typed.cancel_completion()
            actions.submit()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        typed.insert_text("\n")

    @keys.add("c-x", "c-e")
    def _(event: KeyPressEvent) -> None:
        typed.open_in_editor()  # prompt_toolkit's own binding would take the text as entered, and drop it

    @keys.add("c-c")
    def _(event: KeyPressEvent) -> None:
        if typed.text:
            typed.reset()
        else:
            actions.end()

    @keys.add("c-d", filter=Condition(lambda: not typed.text))
    def _(event: KeyPressEvent) -> None:
        actions.end()

    @keys.add(Keys.BracketedPaste)
    def _(event: KeyPressEvent) -> None:
        text = event.data.replace("\r\n", "\n").replace("\r", "\n")
        if text.count("\n") < LONG_PASTE:
            typed.insert_text(text)
        else:
            actions.ask_about_paste(text)


def hear_focus() -> None:
    """Have the terminal's focus reports read as keys; it must be asked for them (CSI ? 1004 h)."""
    ANSI_SEQUENCES["\x1b[I"], ANSI_SEQUENCES["\x1b[O"] = FOCUS_IN, FOCUS_OUT


def _caller(actions: Any, action: Action) -> Callable[[KeyPressEvent], None]:
    def call(event: KeyPressEvent) -> None:
        arguments = () if action.argument is None else (action.argument,)
        getattr(actions, action.method)(*arguments)

    return call


def _goer(actions: Any, place: int) -> Callable[[KeyPressEvent], None]:
    return lambda event: actions.go_to_place(place)
