"""Frames: messages as the protocol has them."""

from __future__ import annotations

import pytest
from websockets.frames import Frame
from websockets.protocol import CLIENT, OPEN, Protocol

from candlewick.server.frames import head


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_a_message_is_read_by_another_reader(size: int) -> None:
    reader = Protocol(CLIENT, state=OPEN, max_size=None)
    text = b"x" * size
    reader.receive_data(head(size) + text)
    (frame,) = reader.events_received()
    assert isinstance(frame, Frame)
    assert (bytes(frame.data), frame.opcode.name, frame.fin) == (text, "TEXT", True)
