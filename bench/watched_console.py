"""The console with a clock in its event loop: `python -m bench.watched_console FILE` writes the latest tick's delay there.

A tick is due every 5 ms; how late it comes is how long nothing else could happen either.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

TICK = 0.005


async def watch(file: Path) -> None:
    """Write the worst delay, and all above 50 ms with their times, whenever there is a new one."""
    started, late = time.monotonic(), []
    worst = 0.0
    while True:
        due = time.monotonic() + TICK
        await asyncio.sleep(TICK)
        delay = time.monotonic() - due
        if delay > 0.05:
            late.append((round(due - started, 2), round(delay, 3)))
        if delay > worst or delay > 0.05:
            worst = max(worst, delay)
            file.write_text(json.dumps({"worst": worst, "late": late}))


def watched(run: Any, file: Path) -> Any:
    """`asyncio.run`, with the clock beside what it runs."""

    def run_with_clock(main: Coroutine[Any, Any, Any], **kwargs: Any) -> Any:
        async def together() -> Any:
            clock = asyncio.create_task(watch(file))
            try:
                return await main
            finally:
                clock.cancel()

        return run(together(), **kwargs)

    return run_with_clock


if __name__ == "__main__":
    asyncio.run = watched(asyncio.run, Path(sys.argv.pop(1)))
    from tui.__main__ import main

    main()
