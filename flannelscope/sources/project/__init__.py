"""From the wire to the model: one function a kind, without judgement."""
