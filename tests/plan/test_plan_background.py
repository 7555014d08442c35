"""What a reviewer is told beside an action: who owns it, and what stands now."""

from __future__ import annotations

from ca_documents import authority, document, request, revocation
from ca_world import Clone
from external_parent import ExternalWorld
from gitca.plan.background import Backgrounds
from gitca.plan.desired import read_desired
from gitca.plan.make import make_plan
from gitca.plan.model import Plan
from gitca.plan.outcome import Outcome
from gitca.plan.render_codequality import codequality_record
from gitca.plan.render_github import annotation_lines
from gitca.plan.render_json import plan_record
from gitca.plan.render_junit import junit_text
from gitca.plan.render_markdown import render_markdown
from gitca.plan.render_sarif import sarif_record
from gitca.plan.render_text import render_text
from gitca.x509.certificate import parse_certificate
from gitca.x509.pem import pem_blocks
from markdown_judge import judge


def planned(clone: Clone) -> tuple[Plan, Backgrounds]:
    """Return the plan of a clone's tip, and what is known beside it."""
    with clone.store() as store:
        snapshot = store.at(clone.tip, clone.tip)
        desired = read_desired(
            snapshot.entries,
            store.read,
            snapshot.state,
            clone.clock.now,
            read_requesters=store.requesters(snapshot.source),
        )
        plan = make_plan(desired, snapshot.state, clone.clock.now)
        return plan, Backgrounds(desired, snapshot.state)


def markdown(clone: Clone) -> str:
    plan, backgrounds = planned(clone)
    outcome = Outcome("plan", (), plan.findings, plan, background=backgrounds.of)
    text = render_markdown(outcome, size_limit=65_000)
    assert judge(text).problems == []
    return text


def rows(text: str) -> dict[str, list[str]]:
    """Return the rows of the tables by their first cell, less its marks."""
    lines = (line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| **"))
    return {cells[0].replace("*", ""): [cell.strip() for cell in cells[1:]] for cells in lines}


def test_a_first_certificate_has_nothing_beside_it(issued: Clone) -> None:
    text = request("web", "web.example.internal")
    owned = text.replace("kind:", "metadata: {owner: shop, description: 'a | b'}\nkind:", 1)
    issued.save({"requests/web.yaml": owned})
    plan, backgrounds = planned(issued)
    background = backgrounds.of(plan.actions[0])
    assert (background.owner, background.description) == ("shop", "a | b")
    assert background.present is None
    assert background.place.file == "requests/web.yaml"
    assert background.place.line > 1
    assert rows(markdown(issued))["Owner"] == ["`shop`"]


def test_a_certificate_that_changes_stands_beside_what_it_will_be(issued: Clone) -> None:
    current = issued.current("payments/api")
    issued.save({"requests/payments/api.yaml": request(
        "api", "api.example.internal", "more.example.internal"
    )})  # fmt: skip
    told = rows(markdown(issued))
    assert told["Names (changes)"] == [
        "`dns:api.example.internal`<br>`dns:more.example.internal`",
        "`dns:api.example.internal`",
    ]
    assert told["Subject"][1] == told["Usages"][1] == told["Key"][1] == "the same"
    plan, backgrounds = planned(issued)
    present = backgrounds.of(plan.actions[0]).present
    assert present is not None
    assert (present.serial, present.is_revoked) == (current.certificate.serial, False)


def test_a_revocation_shows_the_certificate_that_it_is_of(issued: Clone) -> None:
    serial = issued.current("payments/api").certificate.serial
    issued.save({"requests/stop.yaml": revocation(certificate="payments/api")})
    told = rows(markdown(issued))
    assert told["Serial number"] == [f"`{serial}`"]
    assert told["Names"] == ["`dns:api.example.internal`"]
    assert told["Reason"] == ["`keyCompromise`"]
    assert told["CRL number"] == ["2 or higher"]


def test_a_ca_that_is_made_anew_is_compared_with_its_certificate(issued: Clone) -> None:
    issued.save({"ca/issuing.yaml": authority("issuing", "root", renewBefore="1820d")})
    issued.clock.forward(days=6)
    text = markdown(issued)
    assert "renews 1 CA" in text
    told = rows(text)
    assert told["Subject"][1] == "the same"
    assert told["Key"][1] == "the same"
    assert not any("URLs" in name for name in told)


def test_a_policy_that_is_no_more_leaves_the_rest_of_the_comment(issued: Clone) -> None:
    issued.save({"policies/server.yaml": None, "ca/spare.yaml": document(
        "CertificateAuthority", {"subject": {"commonName": "Spare"}, "issuer": "self",
                                 "key": "file:.gitca/keys/spare.pem", "validity": "1y"})
    })  # fmt: skip
    told = rows(markdown(issued))
    assert told["Key at"] == ["`file:.gitca/keys/spare.pem`"]


def test_an_adopted_certificate_is_shown_with_its_fingerprint(world: ExternalWorld) -> None:
    answer = world.good()
    world.answer(answer)
    text = markdown(world.clone)
    told = rows(text)
    fingerprint = parse_certificate(pem_blocks(answer.encode())[0].decode()).fingerprint
    assert told["SHA-256 fingerprint"] == [f"`{fingerprint}`"]
    assert told["Certificates"] == ["`ca/issuing.pem`"]
    assert told["Certificates above it"] == ["1"]
    assert "takes 1 CA's certificate from outside into use" in text


def test_a_retired_ca_signs_its_last_crl_in_every_format(issued: Clone) -> None:
    retired = authority("issuing", "root", state="retired")
    late = request("late", "late.example.internal")  # refused: a finding beside the action
    issued.save({"ca/issuing.yaml": retired, "requests/late.yaml": late})
    plan, backgrounds = planned(issued)
    assert [(action.action, action.ca) for action in plan.actions] == [("retire-ca", "issuing")]
    text = markdown(issued)
    assert "gitca signs 1 last CRL.**" in text
    assert "| retire-ca | 1 | `issuing` |" in text
    assert "<b>sign the last CRL of</b> <code>issuing</code>" in text
    end = backgrounds.state.authority("issuing").certificate
    assert end is not None
    told = rows(text)
    assert told["CRL number"] == ["2 or higher"]
    assert told["Lifetime"] == ["until the CA's certificate ends, `7d` at least"]
    until = f"{end.certificate.not_after:%Y-%m-%d}"
    assert f"The CA is retired: its last CRL lasts until `{until}`." in text
    outcome = Outcome("plan", (), plan.findings, plan, background=backgrounds.of)
    assert f"lasts until {until}" in render_text(plan)
    assert plan_record(plan)["actions"] == [
        {"action": "retire-ca", "ca": "issuing", "request": None, "reason": plan.actions[0].reason}
    ]
    _check_reports(outcome)


def _check_reports(outcome: Outcome) -> None:
    """See that the formats that tell of findings alone tell of none that an action makes."""
    (run,) = sarif_record(outcome, "1")["runs"]
    counts = {
        "sarif": len(run["results"]),
        "code quality": len(codequality_record(outcome)),
        "github": len(list(annotation_lines(outcome))),
        "junit": junit_text(outcome).count("<testcase"),
    }
    found = outcome.findings
    assert found
    assert counts == {
        "sarif": len(found), "code quality": len(found), "github": len(found),
        "junit": len({item.location.file for item in found}),
    }  # fmt: skip
