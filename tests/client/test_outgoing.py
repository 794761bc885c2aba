"""Lines on their way: batches, numbers in order, refusals, lost connections."""

from __future__ import annotations

from chat.codec import MAX_PLAINTEXT, encode
from chat.messages import Refused, Said, Say
from client.outgoing import WINDOW, Line, Outgoing


def line(number: int, text: str = "x") -> Say:
    return Say(f"l{number}", "r", text)


def loaded(count: int) -> Outgoing:
    outgoing = Outgoing()
    for number in range(count):
        outgoing.add(line(number))
    return outgoing


def stored(sent: Line, seq: int) -> Said:
    return Said("r", seq, 0.0, "bob", sent.label, sent.text)


def too_fast(sent: Line) -> Refused:
    return Refused(sent.label, "too_fast", "Wait.", 0.5)


def printed(outgoing: Outgoing) -> list[tuple[str, int]]:
    return [(said.label, said.seq) for said in outgoing.numbered()]


def test_a_window_goes_out_at_once_and_the_rest_after_its_answers() -> None:
    outgoing = loaded(WINDOW + 1)
    batch = outgoing.batch()
    assert len(batch) == WINDOW
    assert outgoing.batch() == []
    for seq, sent in enumerate(batch, 1):
        outgoing.answer(stored(sent, seq))
    assert printed(outgoing) == [(f"l{n}", n + 1) for n in range(WINDOW)]
    assert [sent.label for sent in outgoing.batch()] == [f"l{WINDOW}"]
    assert len(outgoing) == 1


def test_a_batch_fits_one_frame() -> None:
    outgoing = Outgoing()
    for number in range(8):
        outgoing.add(line(number, "ä" * 8000))
    batch = outgoing.batch()
    assert 1 < len(batch) < 8
    assert sum(len(encode(sent)) for sent in batch) <= MAX_PLAINTEXT


def test_what_is_too_fast_waits_and_is_sent_again_in_order_before_the_rest() -> None:
    outgoing = loaded(WINDOW + 2)
    batch = outgoing.batch()
    for seq, sent in enumerate(batch[:60], 1):
        outgoing.answer(stored(sent, seq))
    for sent in batch[60:]:
        outgoing.answer(too_fast(sent))
    assert outgoing.hold == 0.5
    again = outgoing.batch()
    assert [sent.label for sent in again] == [f"l{n}" for n in range(60, 66)]
    assert outgoing.hold == 0.0


def test_the_window_shrinks_to_what_passes_and_grows_again() -> None:
    outgoing = loaded(200)
    for sent in outgoing.batch():
        outgoing.answer(too_fast(sent))
    sizes = []
    for _ in range(4):
        batch = outgoing.batch()
        sizes.append(len(batch))
        for sent in batch:
            outgoing.answer(stored(sent, 1))
    assert sizes == [1, 2, 3, 4]


def test_after_a_lost_connection_the_unanswered_go_again_under_their_labels() -> None:
    outgoing = loaded(4)
    batch = outgoing.batch()
    outgoing.answer(stored(batch[0], 1))
    outgoing.lost()
    assert outgoing.batch() == batch[1:]
    for seq, sent in enumerate(batch[1:], 2):
        outgoing.answer(stored(sent, seq))
        outgoing.answer(stored(sent, seq))  # live and as the answer to the second try
    assert printed(outgoing) == [("l0", 1), ("l1", 2), ("l2", 3), ("l3", 4)]
    assert not len(outgoing)


def test_lost_while_some_were_too_fast_keeps_the_order() -> None:
    outgoing = loaded(4)
    batch = outgoing.batch()
    outgoing.answer(stored(batch[0], 1))
    outgoing.answer(too_fast(batch[1]))
    outgoing.lost()
    assert [sent.label for sent in outgoing.batch()] == ["l1"]  # one line got through before, so the window is small
    outgoing.answer(stored(batch[1], 2))
    assert [sent.label for sent in outgoing.batch()] == ["l2", "l3"]


def test_a_refusal_ends_it_and_tells_what_was_stored_all_the_same() -> None:
    outgoing = loaded(3)
    batch = outgoing.batch()
    outgoing.answer(stored(batch[0], 7))
    outgoing.answer(Refused("l1", "not_a_member", "Join first."))
    assert outgoing.in_flight
    outgoing.answer(stored(batch[2], 8))
    assert printed(outgoing) == [("l0", 7)]
    assert [said.seq for said in outgoing.stored_despite()] == [8]
    assert outgoing.refusal is not None
    assert not outgoing.in_flight


def test_words_on_other_labels_are_passed_over() -> None:
    outgoing = loaded(1)
    outgoing.batch()
    outgoing.answer(Refused("", "too_fast", "Wait.", 3.0))
    outgoing.answer(Said("r", 1, 0.0, "bob", "other", "x"))
    assert outgoing.in_flight and outgoing.hold == 0.0 and printed(outgoing) == []
