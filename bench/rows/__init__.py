"""One file a bench, found by name: PLACE in the table, WORK in words, and `measure`, which yields rows."""
