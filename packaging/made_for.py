"""Prints what compiled wheels of this interpreter fit: its version and platform. Runs on any Python 3."""

import sys
import sysconfig

print("%d.%d" % sys.version_info[:2], sysconfig.get_platform())  # noqa: T201, UP031
