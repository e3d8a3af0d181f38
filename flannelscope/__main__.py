"""`python -m flannelscope`: the same as the command `flannelscope`."""

from __future__ import annotations

from tui.__main__ import main

if __name__ == "__main__":
    main()
