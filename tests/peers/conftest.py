"""A peer that is not here is skipped, and said at the end of the run; `make peers` insists on all of them."""

import os
import warnings

import pytest

from crm.local import peers


class PeerMissing(UserWarning):
    """A protocol went unjudged."""


def need(found, name, remedy):
    """The peer, or a skip that nobody can overlook."""
    if found is None or found is False:
        reason = f"PEER MISSING: {name}: its judgement of our protocol was not asked for. {remedy}"
        if os.environ.get("REGULARS_PEERS") == "all":
            pytest.fail(reason)
        warnings.warn(PeerMissing("!!! " + reason), stacklevel=2)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def tshark():
    return need(peers.find_program("tshark"), "tshark", "`make peers` installs it.")


@pytest.fixture(scope="session")
def kannel():
    found = [peers.find_program(name) for name in ("bearerbox", "smsbox")]
    return need(all(found) and found, "Kannel", "`make peers` installs it.")


@pytest.fixture(scope="session")
def node_modules():
    return need(peers.node_modules(), "npm smpp", "It needs node, npm and a registry.")
