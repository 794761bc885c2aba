"""What goes from process to process arrives as it was."""

from __future__ import annotations

import copyreg
import pickle

from chat.kinds import KINDS
from chat.messages import Login, Pong, Say
from chat.values import Cursor, Stamp
from server.parcels import Answered, Asked, Departed, Intake, Parcel, ToConnection, ToRoom


def test_values_arrive_as_they_were() -> None:
    items: list[Intake | Parcel] = [
        Asked(1, 2.5, Say("label", "lobby", "hello", True), (Stamp("here", 7, "clock"),)),
        Asked(2, 2.5, Login("bob", (Cursor("lobby", 3),))),
        Answered(3, Pong("p")),
        Departed(4),
        ToConnection(5, (b"one", b"two")),
        ToRoom("lobby", (b"one",), 9),
    ]
    assert pickle.loads(pickle.dumps(items)) == items


def test_no_kind_of_message_was_forgotten() -> None:
    assert copyreg.dispatch_table.keys() >= set(KINDS.values())
