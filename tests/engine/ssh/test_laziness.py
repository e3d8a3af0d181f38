"""What is not used is not loaded, and paramiko says nothing of its own."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys, logging, threading
from flannelscope.questions import Questions
from flannelscope.sources.ssh import Fleet, Host, SshSettings
fleet = Fleet(SshSettings(config="none"), Questions.headless())
targets, _ = fleet.targets([Host("w1", "127.0.0.1")])
assert not {"paramiko", "cryptography"} & {*sys.modules}, "resolving loads nothing of it"
logging.basicConfig(level=1)
from flannelscope.sources.ssh import link
logging.getLogger("paramiko.transport").critical("a secret")
"""


def test_paramiko_is_loaded_with_the_first_connection_and_silent() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
