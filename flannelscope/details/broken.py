"""What stands in place of a detail that could not be made: a fault of this program, said where it would have stood."""

from __future__ import annotations

from flannelscope.details import About
from flannelscope.node_views import AnyDetail, CellView, FollowedView, MeshView, NodeSaysView, OutliersView, PairState, RawView
from flannelscope.text import clean


def broken(what: str, about: About, error: Exception) -> AnyDetail | None:
    """The same kind of view with nothing in it but the reason; None for what there is not."""
    why = clean(f"this program failed to make it ({type(error).__name__}: {error}); please report it", 300)
    first, second = (*map(clean, about), "", "")[:2]
    views: dict[str, AnyDetail] = {
        "cell": CellView(observer=first, peer=second, state=PairState.UNKNOWN, said=why),
        "followed": FollowedView(note=why),
        "mesh": MeshView(note=why),
        "node-says": NodeSaysView(node=first, missing=why),
        "outliers": OutliersView(note=why),
        "raw": RawView(node=first, missing=why),
    }
    return views.get(what)
