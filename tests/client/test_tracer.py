"""Following messages: an own one from Enter to each screen, another's back to its author with these stamps added."""

from __future__ import annotations

from chat.messages import Report, Reported, Say, Trail
from chat.values import Stamp
from client.stamps import mark
from client.tracer import KEPT, Tracer

SERVERS = (Stamp("committed", 10, "box"),)


def own(tracer: Tracer, label: str = "1") -> None:
    """Type, keep and send a traced message."""
    say = Say(label, "r", "hi", trace=True)
    tracer.typed()
    tracer.begin(say)
    tracer.kept(say)
    tracer.sent(label, mark("sent"))


def places(lines: list[str]) -> list[str]:
    return [line[:22].strip() for line in lines[1:]]


def test_an_own_message_is_followed_to_ones_own_screen() -> None:
    tracer = Tracer()
    own(tracer)
    assert tracer.own() == []
    tracer.taken_in(Trail("r", "bob", "1", (*SERVERS, mark("received"))))
    assert tracer.own() == []
    assert tracer.drawn("bob") == []
    lines = tracer.own()
    assert lines[0] == "From your Enter to bob's screen:"
    assert places(lines)[:7] == ["typed", "outbox", "sent", "committed", "received", "taken in", "drawn"]
    assert tracer.own() == [], "once"


def test_a_report_completes_the_way_to_anothers_screen() -> None:
    tracer = Tracer()
    own(tracer)
    lines = tracer.ends_with(Reported("1", "alice", (*SERVERS, mark("received"), mark("drawn"))))
    assert lines[0] == "From your Enter to alice's screen:"
    assert places(lines)[:3] == ["typed", "outbox", "sent"]


def test_anothers_message_is_reported_to_its_author_once_it_is_drawn() -> None:
    tracer = Tracer()
    tracer.taken_in(Trail("r", "alice", "7", (*SERVERS, mark("received"))))
    (report,) = tracer.drawn("bob")
    assert isinstance(report, Report)
    assert (report.room, report.author, report.label) == ("r", "alice", "7")
    assert [stamp.place for stamp in report.stamps] == ["committed", "received", "taken in", "drawn"]
    assert tracer.drawn("bob") == []
    assert tracer.own() == []


def test_what_wasnt_traced_or_is_long_past_leads_to_nothing() -> None:
    tracer = Tracer()
    tracer.begin(Say("untraced", "r", "hi"))
    for number in range(KEPT + 1):
        own(tracer, str(number))
    for label in ("untraced", "0", "never"):
        assert tracer.ends_with(Reported(label, "alice", SERVERS)) == []
    assert tracer.ends_with(Reported("1", "alice", SERVERS)) != []
