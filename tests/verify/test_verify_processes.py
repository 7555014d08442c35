"""Many orders are judged by several processes: the same is found, and one is enough."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ca_documents import policy, request
from ca_fixtures import both_layouts
from ca_forger import forger_of, signed_with
from ca_world import MAIN, Clone
from gitca.verify.judge import Judgement, OrderJudge, Task
from gitca.verify.pool import Place, judged


def tasks_of(clone: Clone) -> list[Task]:
    """Return each order for a certificate as a task of its own."""
    return [
        Task(record.ordered.source, ((order, None),))
        for order, record in clone.state.orders.items()
        if record.signed and record.signed.certificate
    ]


def judgements(clone: Clone, tasks: Sequence[Task], root: Path, count: int) -> list[Judgement]:
    with clone.store() as store:
        judge = OrderJudge(store, clone.state)
        place = Place(root, MAIN, clone.tip)
        found = judged(judge, tasks, place, count=count, pooled=1)
        return sorted(found, key=lambda judgement: judgement.orders)


@both_layouts
def test_several_processes_find_what_one_does(made: Clone) -> None:
    forger = forger_of(made)
    ordered, tbs = forger.certificate()
    forger.push(ordered, None, signed_with(made, ordered, tbs, key="other"))
    tasks = tasks_of(made)
    one = judgements(made, tasks, made.folder, 1)
    several = judgements(made, tasks, made.folder, 2)
    assert several == one
    assert [item.judged for item in one] == [1] * len(tasks)
    (contradiction,) = [found for item in one for found in item.contradictions]
    assert "not one of CA issuing's key" in contradiction.message


def test_where_processes_cannot_work_one_does_all(rich: Clone, tmp_path: Path) -> None:
    """They die at once: there is no repository where they look for it."""
    tasks = tasks_of(rich)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONWARNINGS", "ignore")
        found = judgements(rich, tasks, tmp_path / "nowhere", 2)
    assert found == judgements(rich, tasks, rich.folder, 1)


def test_each_order_is_judged_by_what_governed_its_own_commit(made: Clone) -> None:
    """Documents that did not change are read once; here they changed between the orders."""
    made.save({"requests/api.yaml": request("api", "api.example.internal")})
    assert made.reconcile().exit_code == 0
    made.save(
        {
            "policies/server.yaml": policy(validity={"default": "12d", "max": "20d"}),
            "requests/web.yaml": request("web", "web.example.internal"),
        }
    )
    assert made.reconcile().exit_code == 0
    tasks = tasks_of(made)
    found = judgements(made, [*tasks, *reversed(tasks)], made.folder, 1)
    assert [item.contradictions for item in found] == [[]] * 2 * len(tasks)
