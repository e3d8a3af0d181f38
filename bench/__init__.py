"""How fast, how large: `make bench` prints a table of work, goal and measurement. It judges nothing by the clock in tests.

Trust ratios, not absolutes: what is compared is run in turns (A B A B …) and the ratio of the medians is shown.
"""
