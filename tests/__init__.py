"""All tests: engine/ mirrors the engine, tui/ drives the console, lab/ runs on a real cluster."""
