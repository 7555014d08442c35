"""What a change of policies would do to standing requests, and that only those are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from ca_documents import GOVERNING, authority, document, key_identifier, policy, request, revocation
from ca_world import Clone, KeyRing
from gitca.documents.load import load_governing
from gitca.plan.render_what_if import what_if_record, what_if_text
from gitca.plan.what_if import Standing, WhatIf, by_folder, what_if

STRICT = {"dns": {"allow": ["**.example.internal"], "deny": ["api.example.internal"]}}


class Reader:
    """Reads blobs, and remembers which."""

    def __init__(self, clone: Clone) -> None:
        self.clone = clone
        self.blobs: list[str] = []

    def __call__(self, blob: str) -> bytes:
        self.blobs.append(blob)
        with self.clone.store() as store:
            return store.read(blob)


def asked(clone: Clone, files: dict[str, str | None], *, reader: Reader | None = None) -> WhatIf:
    """Return what it would do if these files were another."""
    before = clone.snapshot()
    with clone.store() as store:
        old = load_governing(before.entries, store.read)
    clone.save(files, "a change of policies")
    after = clone.snapshot()
    with clone.store() as store:
        new = load_governing(after.entries, store.read)
        standing = Standing(
            entries=before.entries,
            read=reader or store.read,
            state=before.state,
            now=clone.clock.now,
            read_requesters=store.requesters(before.source),
        )
        return what_if(standing, old, new)


def effects(found: WhatIf) -> list[tuple[str, str, list[str]]]:
    return [
        (item.effect, item.request, [finding.rule for finding in item.findings])
        for item in found.consequences
    ]


def test_a_stricter_policy_denies_what_stands_and_names_its_certificate(issued: Clone) -> None:
    found = asked(issued, {"policies/server.yaml": policy(sans=STRICT)})
    assert (found.policies, found.judged) == (("server",), 1)
    assert effects(found) == [("denied", "payments/api", ["sans.dns.deny"])]
    (item,) = found.consequences
    serial = issued.current("payments/api").certificate.serial
    assert [record.certificate.serial for record in item.certificates] == [serial]
    text = what_if_text(found)
    assert "would deny 1 request with 1 live certificate (payments/: 1)" in text
    assert f"payments/api (policy server), certificate {serial} until" in text
    assert "requests/payments/api.yaml:" in text


def test_a_wider_policy_admits_what_was_denied(issued: Clone) -> None:
    issued.save({"requests/shop/web.yaml": request("web", "web.example.com")})
    wide = {"dns": {"allow": ["**.example.internal", "web.example.com"]}}
    names = {"commonName": {"allow": ["**"], "mustBeInSans": True}}
    found = asked(issued, {"policies/server.yaml": policy(sans=wide, subject=names)})
    (item,) = found.of("admitted")
    assert item.request == "shop/web"
    assert {finding.rule for finding in item.findings} == {
        "subject.commonName.allow",
        "sans.dns.allow",
    }
    assert found.judged == 2


def test_what_a_certificate_would_say_otherwise_is_told(issued: Clone) -> None:
    found = asked(issued, {"policies/server.yaml": policy(keyUsage={"default": ["keyAgreement"]})})
    assert effects(found) == [("reissued", "payments/api", [])]
    assert found.consequences[0].changes == ("key usage: + keyAgreement, - digitalSignature",)


def test_other_words_without_another_meaning_do_nothing(issued: Clone) -> None:
    reader = Reader(issued)
    text = "# a comment\n" + GOVERNING["policies/server.yaml"]
    found = asked(issued, {"policies/server.yaml": text}, reader=reader)
    assert found == WhatIf((), 0, ())
    assert reader.blobs == []
    assert "nothing: every request fares as before" in what_if_text(found)


def test_only_requests_under_changed_policies_are_read(issued: Clone) -> None:
    others = {f"requests/other/r{n}.yaml": request("o" + str(n), f"r{n}.example.internal",
                                                   policy="other") for n in range(5)}  # fmt: skip
    issued.save({"policies/other.yaml": policy(), **others})
    assert issued.reconcile().exit_code == 0
    blobs = {entry.path: entry.blob for entry in issued.snapshot().entries}
    reader = Reader(issued)
    found = asked(issued, {"policies/server.yaml": policy(sans=STRICT)}, reader=reader)
    assert found.judged == 1
    assert set(reader.blobs) == {blobs["requests/payments/api.yaml"]}


def test_a_policy_that_is_gone_or_broken_denies_what_is_under_it(issued: Clone) -> None:
    copy = issued.copy(issued.folder.parent / "copy")
    found = asked(issued, {"policies/server.yaml": "kind: [\n"})
    assert effects(found) == [("denied", "payments/api", ["request.policy.broken"])]
    found = asked(copy, {"policies/server.yaml": None})
    assert effects(found) == [("denied", "payments/api", ["request.policy.unknown"])]


@pytest.mark.parametrize(
    ("change", "rule"),
    [({"state": "crl-only"}, "authority.state"), ({"pathLength": None}, "authority.changed")],
    ids=["its state", "what its certificate belies"],
)
def test_a_changed_ca_is_judged_too(issued: Clone, change: dict[str, object], rule: str) -> None:
    found = asked(issued, {"ca/issuing.yaml": authority("issuing", "root", **change)})
    assert found.policies == ("server",)
    assert [(item.effect, item.findings[0].rule) for item in found.consequences] == [
        ("denied", rule)
    ]


def test_a_key_that_is_listed_denies_the_requests_on_it(issued: Clone) -> None:
    listed = {"keys": [{"key": key_identifier("api"), "reason": "leaked"}]}
    found = asked(issued, {"policies/blocked.yaml": document("KeyBlocklist", listed)})
    assert effects(found) == [("denied", "payments/api", ["key.refused"])]


def test_a_waiver_that_ends_early_denies_its_request(issued: Clone) -> None:
    waiver = {
        "request": "payments/api", "rule": "sans.dns.deny", "until": "2027-01-01T00:00:00Z",
        "reason": "moving", "approvedBy": "security",
    }  # fmt: skip
    issued.save({
        "policies/server.yaml": policy(sans=STRICT),
        "policies/waivers/api.yaml": document("Waiver", waiver),
    })  # fmt: skip
    found = asked(issued, {"policies/waivers/api.yaml": None})
    assert effects(found) == [("denied", "payments/api", ["sans.dns.deny"])]


def test_a_revoked_request_is_left_out(issued: Clone) -> None:
    issued.save({"requests/gone.yaml": revocation(certificate="payments/api")})
    assert issued.reconcile().exit_code == 0
    assert effects(asked(issued, {"policies/server.yaml": policy(sans=STRICT)})) == []


def test_many_are_counted_by_folder_and_listed_in_part(tmp_path: Path, key_ring: KeyRing) -> None:
    files = {
        f"requests/{'shop' if n < 25 else 'jobs'}/r{n}.yaml": request(
            f"r{n}", f"r{n}.example.internal"
        )
        for n in range(30)
    }
    clone = Clone.create(tmp_path / "clone", key_ring, {**GOVERNING, **files})
    found = asked(clone, {"policies/server.yaml": policy(selector={"paths": ["payments/**"]})})
    assert by_folder(found.of("denied")) == {"shop/": 25, "jobs/": 5}
    text = what_if_text(found, listed=3)
    assert "would deny 30 requests with 0 live certificates (shop/: 25, jobs/: 5)" in text
    assert "    … and 27 more\n" in text
    record = what_if_record(found)
    assert isinstance(record["denied"], dict)
    assert record["denied"]["count"] == 30
    assert len(record["denied"]["requests"]) == 30
