"""An evil plan: what a run left is text in the comment of its own pull request, or nothing."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping

from markdown_judge import judge
from pipeline.attacks import bodies, insider, outsider
from pipeline.forge import Pull
from pipeline.pipeline_world import World
from pipeline.runner import Run
from pipeline.workflow_file import Event

MARK = "<!-- gitca plan -->\n"


def archive(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip file with members of these names, whatever they are."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as opened:
        for name, data in members.items():
            opened.writestr(name, data)
    return content.getvalue()


FORGED: Mapping[str, tuple[bytes, str]] = {
    "leads out of its folder": (
        archive({"../../../plan.md": MARK.encode(), "/etc/plan.md": b"x", "plan/plan.md": b"x"}),
        "made no plan that could be read",
    ),
    "a bomb": (archive({"plan.md": bytes(200 << 20)}), "The plan is larger than"),
    "a bomb in bzip2": (
        archive({"plan.md": MARK.encode() + bytes(1 << 20)}, zipfile.ZIP_BZIP2),
        "is neither stored nor deflated",
    ),
    "huge": (
        archive({"plan.md": MARK.encode(), "x": os.urandom(9 << 20)}, zipfile.ZIP_STORED),
        "archive is larger than",
    ),
    "no archive": (b"PK\x03\x04 nothing", "made no plan that could be read"),
    "not ours": (archive({"plan.md": b"# Approved by @example/security"}), "is not one that"),
    "nothing": (archive({}), "made no plan that could be read"),
}


def planned(world: World, pull: Pull) -> tuple[Run, Event]:
    """Run the plan, and return what tells the comment's workflow that it is over."""
    [event] = [each for each in world.forge.events if each.ref == f"refs/pull/{pull.number}/merge"]
    world.forge.events.clear()
    [run] = world.runner.handle(event)
    [told] = world.forge.events
    world.forge.events.clear()
    return run, told


def test_a_forged_plan_is_never_more_than_a_sentence_of_ours(standing: World) -> None:
    victim = insider(standing)
    victim.write({"requests/payments/note.md": "x"})
    others = victim.propose("victim")
    standing.settle()
    before = bodies(standing, others)
    mallory = outsider(standing)
    pull = mallory.propose("forged")
    run, told = planned(standing, pull)
    for name, (content, said) in FORGED.items():
        run.artifacts["plan"] = content
        [comment] = standing.runner.handle(told)
        assert comment.conclusion == "success", f"{name}: {comment.log}"
        [body] = bodies(standing, pull)
        assert said in body, name
        assert "Approved" not in body
        found = judge(body.rstrip("\n").rpartition("\n")[0])
        assert len(found.texts) < 10
        job = comment.jobs["comment"]
        assert not list(job.folder.rglob("plan.md"))
        assert job.obeyed.others == []
    assert bodies(standing, others) == before


def test_the_comment_goes_to_the_pull_request_that_the_forge_names(standing: World) -> None:
    alice = insider(standing)
    other = alice.propose("other")
    standing.settle()
    before = bodies(standing, other)
    mallory = outsider(standing)
    pull = mallory.propose("named-otherwise")
    run, told = planned(standing, pull)
    text = f"{MARK}number: {other.number}\n"
    run.artifacts["plan"] = archive(
        {
            "plan.md": text.encode(),
            "number": str(other.number).encode(),
            "plan.json": b'{"number": %d}' % other.number,
        }
    )
    standing.runner.handle(told)
    assert bodies(standing, other) == before
    assert len(bodies(standing, pull)) == 1


def test_a_plan_of_an_older_commit_does_not_take_the_place_of_the_newest(standing: World) -> None:
    mallory = outsider(standing)
    pull = mallory.propose("older")
    run, told = planned(standing, pull)
    mallory.write({"requests/payments/later.md": "x"})
    standing.amend(mallory.clone, pull)
    _, newer = planned(standing, pull)
    standing.runner.handle(newer)
    [body] = bodies(standing, pull)
    [late] = standing.runner.handle(told)
    assert "nothing to say" in late.log
    assert bodies(standing, pull) == [body]
    assert run.event.payload["pull_request"]["head"]["sha"][:12] not in body


def test_somebody_elses_comment_with_the_mark_is_left_alone(standing: World) -> None:
    mallory = outsider(standing)
    pull = mallory.propose("marked")
    theirs = {"id": 900 + pull.number, "body": f"{MARK}Approved", "user": {"login": "mallory",
              "type": "User"}}  # fmt: skip
    standing.forge.comments[pull.number][theirs["id"]] = theirs
    standing.settle()
    told = bodies(standing, pull)
    assert told[0] == f"{MARK}Approved"
    assert len(told) == 2
