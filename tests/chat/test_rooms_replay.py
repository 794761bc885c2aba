"""A state is what its events make of an empty one: hypothesis orders at random, and a second state only listens."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chat.faults import PeerFault
from chat.messages import Event, Join, Leave, Login, Mark, Said, Say, Tell, Topic
from chat.rooms import Order, State, apply, decide

people = st.sampled_from(["alice", "bob", "carol", "a1ice", "ALICE"])
rooms = st.sampled_from(["lobby", "Lobby", "tea", "@alice@bob", "no room"])
labels = st.text("abc", min_size=1, max_size=3)


class House(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self.listener = State()
        self.events: list[Event] = []
        self.orders: list[Order] = []
        self.heard: defaultdict[str, list[int]] = defaultdict(list)

    def do(self, author: str, command: Login | Say | Tell | Join | Leave | Topic | Mark) -> None:
        order = Order(author, author.encode(), float(len(self.orders)), command)
        self.orders.append(order)
        try:
            events = decide(self.state, order)
        except PeerFault:
            return
        for event in events:
            apply(self.state, event)
            apply(self.listener, event)
            if isinstance(event, Said):
                self.heard[event.room].append(event.seq)
        self.events += events

    @initialize()
    def everybody_has_a_name(self) -> None:
        for name in ("alice", "bob", "carol"):
            self.do(name, Login(name))

    @rule(author=people, name=people)
    def log_in(self, author: str, name: str) -> None:
        self.do(author, Login(name))

    @rule(author=people, room=rooms, label=labels)
    def say(self, author: str, room: str, label: str) -> None:
        self.do(author, Say(label, room, "hi"))

    @rule(author=people, name=people, label=labels)
    def tell(self, author: str, name: str, label: str) -> None:
        self.do(author, Tell(label, name, "psst"))

    @rule(author=people, room=rooms)
    def join(self, author: str, room: str) -> None:
        self.do(author, Join("j", room))

    @rule(author=people, room=rooms)
    def leave(self, author: str, room: str) -> None:
        self.do(author, Leave("l", room))

    @rule(author=people, room=rooms, topic=st.sampled_from(["", "tea"]))
    def set_topic(self, author: str, room: str, topic: str) -> None:
        self.do(author, Topic("t", room, topic))

    @rule(author=people, room=rooms, seq=st.integers(0, 4))
    def mark(self, author: str, room: str, seq: int) -> None:
        self.do(author, Mark(room, seq))

    @invariant()
    def events_alone_make_the_same_state(self) -> None:
        assert self.listener == self.state

    @invariant()
    def numbers_have_no_hole(self) -> None:
        for room, numbers in self.heard.items():
            assert numbers == list(range(1, len(numbers) + 1))
            assert self.state.rooms[room].last == len(numbers)

    @invariant()
    def members_know_their_rooms_and_rooms_their_members(self) -> None:
        members = {(person, room.name) for room in self.state.rooms.values() for person in room.members}
        assert members == {(person, room) for person, rooms in self.state.rooms_of.items() for room in rooms}
        assert set(self.state.read) <= members

    def teardown(self) -> None:
        """The same orders give the same events on another machine."""
        twin = State()
        events: list[Event] = []
        for order in self.orders:
            try:
                decided = decide(twin, order)
            except PeerFault:
                continue
            for event in decided:
                apply(twin, event)
            events += decided
        assert events == self.events


TestHouse = House.TestCase
TestHouse.settings = settings(max_examples=60, stateful_step_count=30)
