"""Lines on their way out: all of them, in order, and never at the cost of who writes them."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time

import pytest

from candlewick.server.log_writer import LogHandler, LogWriter, redacted


def dropped(count):
    return f"dropped {count}\n".encode()


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield reading, writing
    for one in (reading, writing):
        try:
            os.close(one)
        except OSError:
            continue


def test_every_line_is_written_in_order(pipe):
    reading, writing = pipe
    writer = LogWriter(writing, dropped)
    for at in range(1000):
        writer.put(b"%d\n" % at)
    assert writer.flush(10)
    writer.close(10)
    writer.close()
    assert os.read(reading, 1 << 20) == b"".join(b"%d\n" % at for at in range(1000))
    assert writer.stats() == {"waiting": 0, "dropped": 0}


def test_a_full_pipe_holds_up_nobody_and_what_is_dropped_is_told(pipe):
    reading, writing = pipe
    line = b"x" * 999 + b"\n"
    writer = LogWriter(writing, dropped, room=200_000)
    done = threading.Event()

    def many():
        for _ in range(2000):  # 2 MB, of which the pipe takes 64 KB
            writer.put(line)
        done.set()

    threading.Thread(target=many).start()
    assert done.wait(30), "nobody reads, and still it went on"
    assert not writer.flush(0.05)
    lost = writer.stats()["dropped"]
    assert 0 < lost < 2000
    got = b""
    while not got.endswith(b"dropped %d\n" % lost):
        piece = os.read(reading, 1 << 20)
        assert piece
        got += piece
    assert got.count(line) == 2000 - lost
    assert writer.flush(10), "what was read counts as waiting until its write has returned"
    writer.put(b"again\n")
    assert os.read(reading, 100) == b"again\n"
    writer.close(10)


def test_a_dropped_line_is_told_though_no_other_follows(pipe):
    reading, writing = pipe
    writer = LogWriter(writing, dropped, room=10)
    writer.put(b"too long for it\n")
    assert os.read(reading, 100) == b"dropped 1\n"
    writer.close(10)


def test_a_reader_that_is_gone_harms_nobody(pipe):
    reading, writing = pipe
    os.close(reading)
    writer = LogWriter(writing, dropped)
    writer.put(b"x\n")
    assert writer.flush(10)
    writer.close(10)
    assert writer.stats() == {"waiting": 0, "dropped": 1}


def test_a_descriptor_that_does_not_wait_is_waited_for(pipe):
    reading, writing = pipe
    fcntl.fcntl(writing, fcntl.F_SETFL, fcntl.fcntl(writing, fcntl.F_GETFL) | os.O_NONBLOCK)
    writer = LogWriter(writing, dropped)
    text = b"y" * 300_000 + b"\n"
    writer.put(text)
    got = b""
    while len(got) < len(text):
        got += os.read(reading, 1 << 16)
    assert got == text
    writer.close(10)


def test_closing_does_not_wait_for_ever(pipe):
    _, writing = pipe
    writer = LogWriter(writing, dropped)
    writer.put(b"z" * 1_000_000)
    started = time.monotonic()
    writer.close(0.05)
    assert time.monotonic() - started < 5
    assert writer.stats()["waiting"] == 1_000_000
    os.close(pipe[0])  # so that its thread ends, before another pipe has its number
    writer.close(30)
    assert writer.stats()["waiting"] == 0


def test_no_key_is_written(pipe):
    reading, writing = pipe
    writer = LogWriter(writing, dropped)
    secret = "5" * 64
    writer.put(f"Authorization: Bearer cw_0123abcd_{secret} and cw_89abcdef_{secret}\n".encode())
    writer.close(10)
    shown = os.read(reading, 1000).decode()
    assert shown == "Authorization: Bearer cw_0123abcd_(not shown) and cw_89abcdef_(not shown)\n"
    assert redacted(b"cw_0123abcd_55") == b"cw_0123abcd_55"


def test_the_loggers_of_the_standard_library_use_it(pipe, capsys):
    reading, writing = pipe
    writer = LogWriter(writing, dropped)
    handler = LogHandler(writer)
    handler.handle(logging.makeLogRecord({"msg": "a %s", "args": ("line",)}))
    handler.flush()
    assert os.read(reading, 100) == b"a line\n"
    handler.handle(logging.makeLogRecord({"msg": "a %d", "args": ("line",)}))
    assert "Logging error" in capsys.readouterr().err
    writer.close(10)
