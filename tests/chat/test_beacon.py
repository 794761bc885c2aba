"""Beacons: what goes in comes out, nothing is larger than it may be, and nothing false or malformed gets through."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chat.beacon import (
    MAX_DATAGRAM,
    MAX_HOPS,
    MAX_NAME,
    MAX_PAGES,
    MAX_PLACES,
    Beacon,
    Place,
    Presence,
    Probe,
    clip,
    decode,
    encode_beacon,
    encode_probe,
    is_genuine,
    pages_of,
    passed_on,
    place,
)
from chat.faults import PeerFault
from chat.secure import public_key
from chat.signing import Signer

PRIVATE = bytes(range(32))
SIGNER = Signer(PRIVATE)

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=32)
PEOPLE = st.lists(st.builds(Presence, NAMES, st.integers(0, 2**31)), max_size=60)
PLACES = st.one_of(
    st.builds(Place, st.binary(min_size=4, max_size=4), st.integers(0, 32)),
    st.builds(Place, st.binary(min_size=16, max_size=16), st.integers(0, 128)),
)
SERVER_NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64)
BEACONS = st.builds(
    Beacon,
    key=st.just(public_key(PRIVATE)),
    started=st.integers(0, 2**53),
    serial=st.integers(0, 2**53),
    nonce=st.sampled_from([b"", b"12345678"]),
    name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64).map(
        lambda name: clip(name, MAX_NAME)
    ),
    port=st.integers(1, 65_535),
    places=st.lists(PLACES.filter(lambda place: len(place.packed) == 4), max_size=MAX_PLACES).map(tuple),
    advertised=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80),
    passphrase=st.booleans(),
    leaving=st.booleans(),
    known=st.integers(0, 255),
    online=st.integers(0, 2**31),
)
LARGEST = Beacon(
    key=public_key(PRIVATE),
    started=2**53,
    serial=2**53,
    nonce=bytes(8),
    name=clip("\U0001f600" * 64, MAX_NAME),
    port=65_535,
    places=(place("255.255.255.255", 32),) * MAX_PLACES,
    advertised="x" * 80,
    passphrase=False,
    leaving=False,
    known=255,
    online=2**31,
)


@given(BEACONS, PEOPLE)
@example(LARGEST, [Presence("\U0001f600" * 32, 2**31)] * 4)
def test_every_page_fits_comes_back_whole_and_names_everybody_once(beacon: Beacon, people: list[Presence]) -> None:
    pages = pages_of(beacon, people)
    named: list[Presence] = []
    for number, page in enumerate(pages):
        datagram = encode_beacon(page, SIGNER)
        assert len(datagram) <= MAX_DATAGRAM
        received = decode(datagram)
        assert received.content == page and received.hops == 0 and is_genuine(datagram, page)
        assert (page.page, page.pages) == (number, len(pages))
        named += page.people
    assert named == people


def test_a_crowd_is_cut_at_the_last_page() -> None:
    pages = pages_of(LARGEST, [Presence(f"person number {n}") for n in range(20_000)])
    assert len(pages) == MAX_PAGES
    assert all(len(encode_beacon(page, SIGNER)) <= MAX_DATAGRAM for page in pages)


@given(
    st.binary(min_size=8, max_size=8), st.integers(0, 255), st.integers(0, MAX_PAGES), st.sampled_from([b"", b"k" * 32])
)
def test_a_probe_is_as_large_as_any_answer(nonce: bytes, wanted: int, page: int, key: bytes) -> None:
    probe = Probe(nonce, wanted, page, key)
    datagram = encode_probe(probe)
    assert len(datagram) == MAX_DATAGRAM
    assert decode(datagram).content == probe


@pytest.mark.parametrize("size", [1, 20, 100, 400, MAX_DATAGRAM - 1, MAX_DATAGRAM + 1])
def test_a_probe_of_another_size_is_none(size: int) -> None:
    datagram = encode_probe(Probe(bytes(8)))
    with pytest.raises(PeerFault):
        decode((datagram + bytes(10))[:size])


@given(st.integers(0, 8 * 280 - 1))
def test_a_beacon_changed_in_any_bit_but_the_hops_is_not_genuine(bit: int) -> None:
    beacon = replace(LARGEST, name="Office")
    changed = bytearray(encode_beacon(beacon, SIGNER))
    changed[bit // 8] ^= 1 << bit % 8
    try:
        received = decode(bytes(changed)).content
    except PeerFault:
        return
    assert bit // 8 == 7 or not (isinstance(received, Beacon) and is_genuine(bytes(changed), received))


def test_another_key_cant_sign_for_this_one() -> None:
    datagram = encode_beacon(LARGEST, Signer(bytes(32)))
    beacon = decode(datagram).content
    assert isinstance(beacon, Beacon) and not is_genuine(datagram, beacon)


@given(st.binary(max_size=600))
def test_noise_is_refused_with_a_fault(noise: bytes) -> None:
    for datagram in (noise, b"LBeac\x01\x01\x00" + noise, b"LBeac\x01\x02\x00" + bytes(64) + noise):
        try:
            received = decode(datagram).content
        except PeerFault:
            continue
        assert isinstance(received, Probe) or not is_genuine(datagram, received)


def test_hops_are_counted_and_end() -> None:
    datagram: bytes | None = encode_beacon(LARGEST, SIGNER)
    for hops in range(1, MAX_HOPS + 1):
        assert datagram is not None
        datagram = passed_on(datagram)
        assert datagram is not None and decode(datagram).hops == hops
        assert is_genuine(datagram, LARGEST)
    assert datagram is not None and passed_on(datagram) is None


def test_a_later_instance_outranks_an_earlier_one() -> None:
    before, after = replace(LARGEST, started=1, serial=900), replace(LARGEST, started=2, serial=1)
    assert before.rank < after.rank < replace(after, serial=2).rank


@pytest.mark.parametrize(
    "false",
    [
        replace(LARGEST, name=""),
        replace(LARGEST, port=0),
        replace(LARGEST, nonce=b"123"),
        replace(LARGEST, places=(Place(b"12345", 8),)),
        replace(LARGEST, places=(Place(b"1234", 33),)),
        replace(LARGEST, advertised="a\nb"),
        replace(LARGEST, key=b"short"),
        replace(LARGEST, online=-1),
    ],
)
def test_a_field_out_of_its_limits_is_a_fault(false: Beacon) -> None:
    with pytest.raises(PeerFault):
        decode(encode_beacon(replace(false, people=()), SIGNER))


def test_the_network_of_a_place() -> None:
    assert place("10.0.0.10", 25).network == "10.0.0.0/25"
    assert place("fe80::1", 64).ip == "fe80::1"
