"""Who has a password hashed next, and who is sent away."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from errors import Busy
from services import waiting_room
from services.waiting_room import MOST_WAITING, Ticket, WaitingRoom


@pytest.fixture
def room() -> WaitingRoom:
    """A room where somebody is being served."""
    found = WaitingRoom()
    found.enter((), is_known=False)
    return found


def crowd(room: WaitingRoom, count: int = MOST_WAITING) -> list[Ticket]:
    """People who have asked before, each from elsewhere."""
    for number in range(count):
        room.count((hash(f"network {number}"),))
    return [room.enter((f"network {number}",), is_known=False) for number in range(count)]


def served(room: WaitingRoom, count: int) -> list[Ticket | None]:
    found = []
    for _ in range(count):
        room.call_next()
        found.append(room.served)
    return found


def test_one_at_a_time_in_their_order(room: WaitingRoom) -> None:
    first, second = (room.enter((), is_known=False) for _ in range(2))
    assert not first.called.is_set()
    assert served(room, 3) == [first, second, None]


def test_whoever_is_known_goes_first_and_then_those_who_ask_for_the_first_time(
    room: WaitingRoom,
) -> None:
    again = crowd(room, 3)
    newcomer = room.enter(("elsewhere",), is_known=False)
    known = room.enter(("network 2",), is_known=True)
    assert served(room, 5) == [known, newcomer, *again]


def test_whoever_asks_again_meanwhile_loses_the_place(room: WaitingRoom) -> None:
    first, second = (room.enter((name,), is_known=False) for name in ("flood", "person"))
    again = room.enter(("flood",), is_known=False)
    assert served(room, 3) == [second, first, again]


def test_whoever_asks_most_often_is_sent_away(room: WaitingRoom) -> None:
    again = crowd(room)
    newcomer = room.enter(("elsewhere",), is_known=False)
    assert again[-1].called.is_set()
    assert again[-1] not in room.waiting
    pest = room.enter(("network 1", "network 2"), is_known=False)
    assert pest.called.is_set()
    assert pest not in room.waiting
    assert served(room, 1) == [newcomer]


def test_tries_are_forgotten_after_a_while(
    room: WaitingRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_room, "REMEMBERED_SECONDS", -1.0)
    tickets = [room.enter(("network",), is_known=False) for _ in range(5)]
    assert room.rank(tickets[-1])[1] == 2  # its own and the last one


def test_nobody_waits_for_ever(room: WaitingRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_room, "PATIENCE_SECONDS", 0.1)
    with pytest.raises(Busy), room.turn():
        pass
    assert room.waiting == []


def test_a_crowd_takes_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    room = WaitingRoom()
    inside: list[int] = []
    crowded: list[int] = []

    def visit(number: int) -> int:
        with suppress(Busy), room.turn(str(number % 7)):
            inside.append(number)
            crowded.append(len(inside))
            time.sleep(0.001)
            inside.remove(number)
            return 1
        return 0

    with ThreadPoolExecutor(40) as pool:
        done = sum(pool.map(visit, range(300)))
    assert done > MOST_WAITING
    assert set(crowded) == {1}
    assert (room.served, room.waiting) == (None, [])


def test_a_turn_ends_when_what_was_done_in_it_fails() -> None:
    room = WaitingRoom()
    with pytest.raises(ZeroDivisionError), room.turn():
        raise ZeroDivisionError
    assert room.served is None
