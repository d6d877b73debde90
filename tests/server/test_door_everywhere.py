"""Every address of the server, tried by everybody, from another address than this machine's own: who lacks the right
key is refused, and no secret is seen anywhere. The server and its callers have a network namespace of their own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from candlewick.server.roles import ADMIN, BELOW, NEEDED, OPEN, ROLES, needed, suffices

pytestmark = pytest.mark.untraced

NEAR, FAR = "10.77.0.1", "10.77.0.2"
WITHOUT = ("nobody", "unknown", "malformed", "revoked")
SET_UP = (
    "ip link set lo up && ip link add near type veth peer name far "
    f"&& ip addr add {NEAR}/24 dev near && ip link set near up && exec"
)
"""A cable whose far end the callers take into a namespace of their own."""


def namespaces():
    """None, or why no network namespace can be made here."""
    for tool in ("unshare", "ip"):
        if shutil.which(tool) is None:
            return f"there is no {tool} here"
    made = ["unshare", "-n", "sh", "-c", f"{SET_UP} true"]
    done = subprocess.run(made, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"no network namespace can be made: {done.stderr.strip()}"


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    why = namespaces()
    if why is not None:
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("everywhere")
    driver = Path(__file__).with_name("everywhere.py")
    made = ["unshare", "-n", "sh", "-c", f'{SET_UP} "$@"', "sh", sys.executable, str(driver), str(folder), NEAR, FAR]
    done = subprocess.run(made, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["errors"] == []
    return found | {"folder": folder, "out": done.stdout, "err": done.stderr}


def need_of(method, place):
    return needed(method, place.partition("?")[0])


def test_all_that_is_there_was_tried(seen):
    places = [tuple(one) for one in seen["places"]]
    assert ("POST", "/v1/candles") in places
    assert ("WEBSOCKET", "/v1/stream") in places
    assert ("DELETE", "/v1/keys/00000000") in places
    assert len(places) > 20
    assert len(seen["answers"]) == len(places) * (len(ROLES) + len(WITHOUT) + 3)  # three of them from here as well


def test_a_new_route_is_in_the_table_of_roles(seen):
    """What is not there needs admin, which is safe, and surely not meant."""
    meant = {"/v1/keys", "/v1/keys/00000000", "/nothing", "/"}
    assert {place for method, place in seen["places"] if need_of(method, place) == ADMIN} == meant


def test_the_table_of_roles_has_no_line_too_many(seen):
    places = {tuple(one) for one in seen["places"]}
    assert set(NEEDED) <= places
    assert all(any(method == way and place.startswith(begin) for method, place in places) for way, begin, _ in BELOW)


def test_without_a_valid_key_everybody_is_refused(seen):
    strangers = [one for one in seen["answers"] if one[1] in WITHOUT and need_of(*one[2:4]) != OPEN]
    assert {one[-1] for one in strangers} == {401}
    assert {one[0].split(":")[1] for one in strangers} == {f"//{NEAR}", "//127.0.0.1"}


def test_a_role_too_small_is_refused_and_one_that_suffices_comes_in(seen):
    for host, who, method, place, status in seen["answers"]:
        if who in ROLES:
            right = suffices(who, need_of(method, place))
            assert (status not in (401, 403, 429)) is right, (host, who, method, place, status)


def test_only_that_it_is_alive_is_open(seen):
    opened = {one[3] for one in seen["answers"] if one[1] == "nobody" and one[-1] == 200}
    assert opened == {"/health/live", "/v1/health/live"}


def test_pages_of_other_sites_are_refused_whatever_key_they_have(seen):
    assert {status for _, _, status in seen["origins"]} == {403}


def test_a_stream_ends_when_its_key_is_revoked(seen):
    assert seen["stream"][0] == "snapshot"
    assert seen["stream"][-2:] == ["bye key_revoked", "1008 key_revoked"]
    assert seen["after"] == 401


def test_no_secret_is_seen_anywhere(seen):
    """Answers, figures, the log (at its most talkative, with a defect that speaks of a key), the journal, the process's
    title, and the file of keys."""
    folder = seen["folder"]
    everything = {path.name: path.read_bytes() for path in folder.iterdir()}
    everything |= {"err": seen["err"].encode()}
    assert b"candlewick_http_responses_total" in everything["heard"]
    assert b"a defect that speaks of cw_" in everything["log"]
    assert b'"key":"viewer"' in everything["log"]
    assert f'"address":"{FAR}"'.encode() in everything["log"]
    assert len(seen["secrets"]) == len(ROLES) + 2
    for name, content in everything.items():
        for secret in seen["secrets"]:
            assert secret.encode() not in content, name
            assert bytes.fromhex(secret) not in content, name
