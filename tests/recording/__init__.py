"""Recordings of what the lab's kernel cannot do, made on a whole machine in an emulator; they lie in tests/data/recorded."""
