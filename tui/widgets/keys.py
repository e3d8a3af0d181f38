"""Keys are worked through in the order in which they were typed, however fast they come (typed ahead, or pasted)."""

from __future__ import annotations

from textual import events
from textual.widget import Widget


class KeysInOrder(Widget):
    """A widget that runs its own bindings where the key arrives.

    The toolkit (8.2) puts a letter into an input where the key arrives, but runs a binding only after the key has gone up to
    the app and come back, and then looks it up in what has the focus by now. So Ctrl-U also took the letters typed behind it,
    and `jj/` moved nothing. Bindings with priority are run by the app before the key gets here, as everywhere.
    """

    async def on_key(self, event: events.Key) -> None:
        """Run what the key is bound to in this widget; all else goes its way."""
        own = self._bindings.copy()
        own.apply_keymap(self.app._keymap)
        for binding in own.key_to_bindings.get(event.key, ()):
            if not binding.priority and await self.app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return
