"""The table of a connection's life: total, no phase out of reach, every phase can end."""

from __future__ import annotations

import itertools

import pytest

from chat.faults import PeerFault
from chat.protocol import TRANSITIONS, Phase, Step, advance


def test_each_step_in_each_phase_leads_on_or_is_the_peers_fault() -> None:
    assert set(TRANSITIONS) == set(Phase)
    for phase, step in itertools.product(Phase, Step):
        if step in TRANSITIONS[phase]:
            assert advance(phase, step) is TRANSITIONS[phase][step]
            continue
        with pytest.raises(PeerFault) as fault:
            advance(phase, step)
        assert fault.value.code == "out_of_order"
        assert step.value in fault.value.sentence and phase.value in fault.value.sentence


def test_every_phase_is_reached_and_every_step_used() -> None:
    reached, found = {Phase.OPENED}, {Phase.OPENED}
    while found:
        found = {after for phase in found for after in TRANSITIONS[phase].values()} - reached
        reached |= found
    assert reached == set(Phase)
    assert {step for steps in TRANSITIONS.values() for step in steps} == set(Step)


def test_every_phase_can_end_and_the_end_is_final() -> None:
    assert TRANSITIONS[Phase.CLOSED] == {}
    assert all(steps[Step.END] is Phase.CLOSED for phase, steps in TRANSITIONS.items() if phase is not Phase.CLOSED)


def test_no_command_comes_before_both_keys_are_proved_and_a_name_is_claimed() -> None:
    assert [phase for phase in Phase if Step.COMMAND in TRANSITIONS[phase]] == [Phase.NAMED]
    path = [Phase.OPENED]
    for step in (Step.HELLO, Step.PROOF, Step.LOGIN, Step.COMMAND, Step.COMMAND, Step.END):
        path.append(advance(path[-1], step))
    assert path[1:] == [Phase.ANSWERED, Phase.PROVED, Phase.NAMED, Phase.NAMED, Phase.NAMED, Phase.CLOSED]
