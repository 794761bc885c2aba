"""The viewport as a script: what stands in the window after scrolling, fetching and what comes in meanwhile."""

from __future__ import annotations

from client.model import Model
from client.viewport import Viewport
from tests.client.scenes import model, said, tell, texts

WIDTH, HEIGHT = 60, 10


def shown(viewport: Viewport) -> list[int]:
    """The numbers of the messages in the window."""
    lines = texts(viewport.lines(WIDTH, HEIGHT))
    return [int(line.split()[-1].rstrip(".")) for line in lines if line.endswith(".")]


def scene_with(first: int, last: int, *, known: int = 0) -> tuple[Model, Viewport]:
    """A room with messages `first` to `last` here, of 1 to `known`."""
    scene = model(last=known or last)
    tell(scene, (said(seq) for seq in range(first, last + 1)))
    viewport = Viewport(scene, "lobby")
    viewport.lines(WIDTH, HEIGHT)
    return scene, viewport


def test_at_the_live_end_the_newest_are_shown_and_what_comes_moves_them() -> None:
    scene, viewport = scene_with(1, 30)
    assert shown(viewport) == list(range(21, 31))
    tell(scene, [said(31)])
    assert shown(viewport)[-1] == 31 and viewport.at_end


def test_scrolled_back_nothing_that_comes_moves_the_lines() -> None:
    scene, viewport = scene_with(1, 50)
    viewport.up(20)
    before = shown(viewport)
    assert before == list(range(21, 31)) and not viewport.at_end
    tell(scene, [said(51), said(52)])
    assert shown(viewport) == before


def test_what_is_fetched_above_moves_nothing_either() -> None:
    scene, viewport = scene_with(101, 130)
    viewport.up(12)
    before = shown(viewport)
    tell(scene, (said(seq) for seq in range(1, 101)))
    assert shown(viewport) == before


def test_up_stops_at_the_oldest_line_that_is_here_and_down_ends_at_the_live_end() -> None:
    _, viewport = scene_with(1, 30)
    viewport.up(10_000)
    top = texts(viewport.lines(WIDTH, HEIGHT))
    assert "─" in top[0] and shown(viewport)[0] == 1  # the day's line, then its first message
    viewport.down(10_000)
    assert viewport.at_end and shown(viewport)[-1] == 30


def test_up_and_down_by_as_much_is_where_one_was() -> None:
    _, viewport = scene_with(1, 200)
    viewport.up(50)
    before = shown(viewport)
    for lines in (1, 3, 7, 40):
        viewport.up(lines)
        viewport.down(lines)
        assert shown(viewport) == before


def test_what_is_missing_above_the_window_is_wanted_before_one_comes_there() -> None:
    _, viewport = scene_with(401, 500)
    assert viewport.wanted() is None
    viewport.up(60)
    assert viewport.wanted() == (401, 100)


def test_a_room_of_which_nothing_is_here_wants_its_newest_page() -> None:
    scene = model(last=1_000_000)
    viewport = Viewport(scene, "lobby")
    viewport.lines(WIDTH, HEIGHT)
    assert viewport.wanted() == (1_000_001, 100)


def test_a_message_that_isnt_here_is_fetched_with_what_stands_around_it_and_then_shown() -> None:
    scene, viewport = scene_with(901, 1000)
    viewport.seek(300)
    assert viewport.wanted() == (350, 100)
    assert shown(viewport)[-1] == 1000  # until it is here
    tell(scene, (said(seq) for seq in range(250, 350)))
    assert 300 in shown(viewport) and not viewport.at_end


def test_a_hole_below_the_window_is_filled_before_one_scrolls_over_it() -> None:
    scene, viewport = scene_with(901, 1000)
    viewport.seek(300)
    tell(scene, (said(seq) for seq in range(250, 350)))
    viewport.lines(WIDTH, HEIGHT)
    viewport.down(10_000)
    assert shown(viewport)[-1] == 349
    assert viewport.wanted() == (450, 100)
    tell(scene, (said(seq) for seq in range(350, 450)))
    assert shown(viewport)[-1] == 349
    viewport.down(5)
    assert shown(viewport)[-1] == 354


def test_where_one_stopped_stands_at_the_top_of_the_window() -> None:
    scene, viewport = scene_with(1, 100)
    viewport.seek(40, at_top=True)
    assert shown(viewport)[0] == 40
    assert scene.rooms["lobby"].held


def test_the_cleared_screen_is_empty_and_wants_nothing_until_one_scrolls() -> None:
    scene, viewport = scene_with(1, 50)
    scene.rooms["lobby"].cleared = 50
    assert (shown(viewport), viewport.wanted()) == ([], None)
    tell(scene, [said(51)])
    assert shown(viewport) == [51]
    viewport.up(3)
    assert len(shown(viewport)) == HEIGHT


def test_lines_keep_their_place_when_the_window_changes_its_width() -> None:
    _, viewport = scene_with(1, 100)
    viewport.up(30)
    bottom = shown(viewport)[-1]
    narrow = texts(viewport.lines(25, HEIGHT))
    assert narrow[-1].endswith(f"{bottom}.")
