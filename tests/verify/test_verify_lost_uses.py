"""Uses of a key whose answer never came: counted, and nothing to check."""

from __future__ import annotations

from ca_forger import push_events
from ca_world import Clone
from gitca.ledger.events import Signed


def test_a_use_of_the_key_whose_answer_was_lost_is_counted_and_is_no_contradiction(
    rich: Clone,
) -> None:
    order = rich.current("web").ordered.order
    before = rich.verify().checked["spent signatures"]
    lost = Signed(order, None, "file:issuing", request_id="1-2-3", spent=True)
    push_events(rich, lost)
    report = rich.verify()
    assert report.contradictions == []
    assert report.checked["spent signatures"] == before + 1
