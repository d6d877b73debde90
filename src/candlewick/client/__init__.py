"""Client: the calls of a candlewick server over HTTP, and its live bars over a WebSocket."""

from candlewick.client.client import Client, connect
from candlewick.client.served_answer import ServedAnswer
from candlewick.client.stream import BarStream
from candlewick.client.streamed_bar import StreamedBar

__all__ = ["BarStream", "Client", "ServedAnswer", "StreamedBar", "connect"]
