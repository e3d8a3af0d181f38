"""Nodes over SSH: one connection each, one script each, strict host keys on every hop.

`Fleet.targets` says who would be dialled and how, and dials nobody; `Fleet.run` runs a script there. paramiko is imported
with the first connection and not before.
"""

from flannelscope.sources.ssh.fleet import Fleet
from flannelscope.sources.ssh.values import Answered, Failed, Host, SshSettings, Target

__all__ = ["Answered", "Failed", "Fleet", "Host", "SshSettings", "Target"]
