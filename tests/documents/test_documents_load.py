"""Loading a tree: which files are documents, and what documents say of each other."""

from __future__ import annotations

import time

import pytest
from document_samples import (
    ISSUING,
    POLICY,
    REQUEST,
    REVOCATION,
    ROOT,
    TREE,
    entries,
    governing,
    reader,
    requests,
    with_line,
)

from gitca.documents.load import TreeEntry, load_requests, request_paths

CSR = b"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"


def beside(name: str) -> str:
    """The request with its CSR in a file."""
    return "\n".join(REQUEST.splitlines()[:8]) + f"\n  csrFile: {name}\n"


def brief(findings) -> list[str]:
    return [f"{one.location} {one.rule}" for one in findings]


def tree(**changes: str | bytes | None) -> dict[str, str | bytes]:
    return {path: text for path, text in (TREE | changes).items() if text is not None}


def test_the_tree_of_the_design_is_loaded_without_findings():
    known = governing(TREE)
    found = requests(TREE)
    assert known.findings + found.findings == ()
    assert sorted(known.authorities) == ["issuing", "root"]
    assert list(known.policies) == ["internal-server"]
    assert known.repository.spec.issued_branch == "issued"
    assert list(found.requests) == ["payments/api"]
    assert list(found.revocations) == ["payments/api-revoked"]
    assert known.broken | found.broken == frozenset()
    assert found.requests["payments/api"].blob == "requests/payments/api.yaml"


def test_an_empty_repository_has_defaults_and_no_findings():
    known = governing({})
    assert known.findings == ()
    assert known.repository.spec.branch == "main"
    assert str(known.repository.at("spec", "branch")) == "ca/repository.yaml:1:1"


def test_files_that_are_no_documents_are_left_alone():
    others = {
        "README.md": "x",
        "ca/README.md": "x",
        "policies/.gitkeep": "",
        "requests/.gitkeep": "",
        "requests/payments/api key.csr": "x",
        "requests/payments/Ü.der": "x",
        "issued/ledger/00000001.jsonl": "x",
        "requests-old/a.yaml": "x",
    }
    files = tree(**others)
    assert governing(files).findings + requests(files).findings == ()


NAMES = {
    ".yml": ("requests/a.yml", "path.extension"),
    "upper-case ending": ("requests/a.YAML", "path.extension"),
    "policy in .yml": ("policies/a.yml", "path.extension"),
    "CA in .yml": ("ca/a.yml", "path.extension"),
    "space": ("requests/a b.yaml", "path.characters"),
    "no name": ("requests/.yaml", "path.characters"),
    "hidden": ("requests/.a.yaml", "path.characters"),
    "hidden folder": ("requests/.a/b.yaml", "path.characters"),
    "hyphen first": ("requests/-a.yaml", "path.characters"),
    "beyond ASCII": ("requests/ä.yaml", "path.characters"),
    "Cyrillic letter": ("requests/\u0430pi.yaml", "path.characters"),
    "backslash": ("requests/a\\b.yaml", "path.characters"),
    "line end": ("requests/a\n.yaml", "path.characters"),
    "star": ("requests/*.yaml", "path.characters"),
    "long part": (f"requests/{'a' * 201}.yaml", "path.length"),
    "long name": (f"requests/{'a' * 100 + '/'}" * 9 + "a.yaml", "path.length"),
    "folder that issued/ needs for a file": ("requests/api.pem/a.yaml", "path.reserved"),
    "CA in a folder": ("ca/sub/a.yaml", "path.nested"),
    "CA called ledger": ("ca/ledger.yaml", "path.reserved"),
    "CA called orders": ("ca/orders.yaml", "path.reserved"),
    "CA called self": ("ca/self.yaml", "path.reserved"),
    "CA called External": ("ca/External.yaml", "path.reserved"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_bad_name_is_one_finding_and_the_file_is_not_opened(name):
    path, rule = NAMES[name]
    known = governing({path: "{"})
    found = requests({path: "{"})
    (finding,) = known.findings + found.findings
    assert finding.rule == rule
    assert finding.location.line == 1
    assert finding.message.isprintable()
    assert finding.location.file.isprintable()
    assert known.broken | found.broken == {path}


def test_a_name_of_the_longest_parts_is_accepted():
    assert requests(tree(**{f"requests/{'a' * 200}/{'b' * 200}.yaml": REQUEST})).findings == ()


def test_control_characters_of_a_path_are_escaped():
    (finding,) = requests({"requests/a\x1b[2J.yaml": "{"}).findings
    assert finding.location.file == "requests/a\\x1b[2J.yaml"
    assert "\\x1b" in finding.message


@pytest.mark.parametrize(
    ("mode", "rule"), [("120000", "path.symlink"), ("160000", "path.submodule")]
)
@pytest.mark.parametrize("path", ["requests/x.yaml", "requests/x.csr", "ca/x.pem", "policies/x"])
def test_links_and_submodules_are_refused_wherever_documents_lie(path, mode, rule):
    files = {path: REQUEST}
    modes = {path.replace("/", "_").replace(".", "_"): mode}
    findings = governing(files, **modes).findings + requests(files, **modes).findings
    assert brief(findings) == [f"{path}:1:1 {rule}"]


@pytest.mark.parametrize("folder", ["ca", "policies", "requests"])
@pytest.mark.parametrize(
    ("mode", "rule"),
    [("100644", "path.not-a-folder"), ("120000", "path.symlink"), ("160000", "path.submodule")],
)
def test_a_folder_of_documents_must_be_one(folder, mode, rule):
    modes = {folder: mode}
    findings = (
        governing({folder: "x"}, **modes).findings + requests({folder: "x"}, **modes).findings
    )
    assert brief(findings) == [f"{folder}:1:1 {rule}"]


def test_an_executable_document_is_read():
    assert governing(TREE, ca_root_yaml="100755").findings == ()


def test_a_folder_and_a_document_of_one_name_live_together():
    assert requests(tree(**{"requests/payments.yaml": REQUEST})).findings == ()


KINDS = {
    "request in policies/": ("policies/a.yaml", REQUEST, "IssuancePolicy, KeyBlocklist"),
    "policy in requests/": (
        "requests/a.yaml",
        POLICY,
        "CertificateRequest, RevocationRequest",
    ),
    "policy in ca/": ("ca/a.yaml", POLICY, "CertificateAuthority"),
    "CA as repository": ("ca/repository.yaml", ROOT, "Repository"),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_document_of_the_wrong_kind_for_its_folder_is_refused(name):
    path, text, allowed = KINDS[name]
    files = tree(**{path: text})
    found = governing(files).findings + requests(files).findings
    (finding,) = (item for item in found if item.location.file == path)
    assert str(finding).startswith(f"{path}:2:7: kind ")
    assert f"allowed are {allowed} (document.kind); move the document" in str(finding)


def test_a_repository_document_under_another_name_is_refused():
    (finding,) = governing(tree(**{"ca/repo.yaml": TREE["ca/repository.yaml"]})).findings
    assert finding.rule == "document.kind"


def test_an_unknown_issuer_is_refused_with_the_one_that_was_meant():
    known = governing(tree(**{"ca/issuing.yaml": with_line(ISSUING, 5, "  issuer: rot")}))
    assert brief(known.findings) == [
        "ca/issuing.yaml:5:11 authority.issuer.unknown",
        "policies/internal-server.yaml:4:11 policy.issuer.broken",
    ]
    assert known.findings[0].remedy == "write root"
    assert list(known.authorities) == ["root"]
    assert known.broken == {"ca/issuing.yaml", "policies/internal-server.yaml"}


def ca(name: str, issuer: str) -> str:
    return ROOT.replace("Example Root CA", name).replace("root.key", name).replace("self", issuer)


def test_issuers_that_lead_round_are_refused_at_each_of_them():
    files = {"ca/a.yaml": ca("a", "b"), "ca/b.yaml": ca("b", "c"), "ca/c.yaml": ca("c", "a")}
    known = governing(files)
    assert [one.rule for one in known.findings] == ["authority.issuer.loop"] * 3
    assert "a → b → c → a" in known.findings[0].message
    assert known.authorities == {}


def test_an_authority_cannot_issue_itself_by_name():
    known = governing({"ca/a.yaml": ca("a", "a")})
    assert brief(known.findings) == ["ca/a.yaml:5:11 authority.issuer.loop"]


def test_what_depends_on_a_loop_is_held_up_too():
    files = {"ca/a.yaml": ca("a", "b"), "ca/b.yaml": ca("b", "b"), "ca/c.yaml": ca("c", "self")}
    known = governing(files)
    assert [one.rule for one in known.findings] == [
        "authority.issuer.broken",
        "authority.issuer.loop",
    ]
    assert list(known.authorities) == ["c"]


def test_a_broken_authority_holds_up_what_depends_on_it_and_nothing_else():
    files = tree(
        **{
            "ca/root.yaml": "{",
            "ca/other.yaml": ca("other", "self"),
            "policies/other.yaml": with_line(POLICY, 4, "  issuer: other"),
            "requests/other.yaml": with_line(REQUEST, 5, "  policy: other"),
        }
    )
    known = governing(files)
    assert [one.rule for one in known.findings] == [
        "yaml.syntax",
        "authority.issuer.broken",
        "policy.issuer.broken",
    ]
    assert list(known.authorities) == ["other"]
    assert list(known.policies) == ["other"]
    found = requests(files)
    assert brief(found.findings) == ["requests/payments/api.yaml:5:11 request.policy.broken"]
    assert list(found.requests) == ["other"]


@pytest.mark.parametrize(("line", "key"), [(4, "subject"), (6, "key")])
def test_two_authorities_cannot_share_a_subject_or_a_key(line, key):
    files = {
        "ca/a.yaml": ca("a", "self"),
        "ca/b.yaml": with_line(ca("b", "self"), line, ca("a", "self").splitlines()[line - 1]),
    }
    known = governing(files)
    assert [one.rule for one in known.findings] == [f"authority.{key}.taken"]
    assert known.findings[0].location.file == "ca/b.yaml"
    assert list(known.authorities) == ["a"]


def test_a_policy_of_an_unknown_authority_is_refused():
    text = with_line(POLICY, 4, "  issuer: nobody")
    known = governing(tree(**{"policies/internal-server.yaml": text}))
    assert brief(known.findings) == ["policies/internal-server.yaml:4:11 policy.issuer.unknown"]
    assert "there is issuing, root" in known.findings[0].message


def test_a_request_under_an_unknown_policy_is_refused():
    text = with_line(REQUEST, 5, "  policy: internal-sever")
    found = requests(tree(**{"requests/payments/api.yaml": text}))
    assert brief(found.findings) == ["requests/payments/api.yaml:5:11 request.policy.unknown"]
    assert found.findings[0].remedy == "write internal-server"
    assert found.requests == {}
    assert found.csrs == {}
    assert found.broken == {"requests/payments/api.yaml"}


def test_a_revocation_at_an_unknown_authority_is_refused():
    text = with_line(REVOCATION, 4, '  serial: "3f"\n  ca: nobody')
    found = requests(tree(**{"requests/payments/api-revoked.yaml": text}))
    assert brief(found.findings) == ["requests/payments/api-revoked.yaml:5:7 revocation.ca.unknown"]


def test_a_revocation_at_a_broken_authority_stands():
    text = with_line(REVOCATION, 4, '  serial: "3f"\n  ca: root')
    files = tree(**{"requests/payments/api-revoked.yaml": text, "ca/root.yaml": "{"})
    assert list(requests(files).revocations) == ["payments/api-revoked"]


def test_one_bad_request_holds_up_nothing_but_itself():
    found = requests(tree(**{"requests/bad.yaml": "{", "requests/worse.yaml": b"\xff"}))
    assert brief(found.findings) == [
        "requests/bad.yaml:1:2 yaml.syntax",
        "requests/worse.yaml:1:1 yaml.encoding",
    ]
    assert list(found.requests) == ["payments/api"]
    assert found.broken == {"requests/bad.yaml", "requests/worse.yaml"}


def test_yaml_and_model_speak_in_one_run_and_once_a_place():
    text = REQUEST.replace("policy: internal-server", "policy: !!str 5").replace("30d", "30")
    found = requests(tree(**{"requests/payments/api.yaml": text}))
    assert brief(found.findings) == [
        "requests/payments/api.yaml:5:11 yaml.tag",
        "requests/payments/api.yaml:8:13 document.type",
    ]


def test_an_alias_is_refused_once_whatever_was_wanted_in_its_place():
    text = REQUEST.replace("policy: internal-server", "policy: *p")
    found = requests(tree(**{"requests/payments/api.yaml": text}))
    assert brief(found.findings) == ["requests/payments/api.yaml:5:11 yaml.alias"]


def test_an_anchor_alone_keeps_a_document_out():
    text = REQUEST.replace("policy: internal-server", "policy: &p internal-server")
    found = requests(tree(**{"requests/payments/api.yaml": text}))
    assert [one.rule for one in found.findings] == ["yaml.anchor"]
    assert found.requests == {}


def test_only_what_is_asked_for_is_opened():
    opened = []
    files = tree(**{"requests/b.yaml": REQUEST, "requests/c.yaml": "{"})

    def read(blob: str) -> bytes:
        opened.append(blob)
        return reader(files)(blob)

    found = load_requests(entries(files), read, only=["requests/b.yaml"])
    assert opened == ["requests/b.yaml"]
    assert list(found.requests) == ["b"]
    assert found.findings == ()


def test_names_are_looked_at_even_where_nothing_is_opened():
    files = tree(**{"requests/a b.yaml": "{", "requests/c.yml": "{"})
    found = load_requests(entries(files), reader(files), only=[])
    assert [one.rule for one in found.findings] == ["path.characters", "path.extension"]


def test_the_names_of_requests_are_had_without_parsing():
    files = tree(**{"requests/broken.yaml": "{", "requests/a.yml": "{", "requests/a.csr": b""})
    assert list(request_paths(entries(files))) == ["payments/api", "payments/api-revoked", "broken"]


def test_a_name_that_is_there_and_refused_is_not_taken_for_deleted():
    link = TreeEntry("requests/payments/api.yaml", "120000", "x")
    assert list(request_paths([link])) == ["payments/api"]


def test_an_inline_csr_has_the_place_of_its_text():
    csr = requests(TREE).csrs["payments/api"]
    assert csr.data == CSR
    assert (csr.path, csr.blob) == ("requests/payments/api.yaml",) * 2
    assert str(csr.location) == "requests/payments/api.yaml:9:8"


@pytest.mark.parametrize("name", ["api.csr", "csrs/api.der"])
def test_a_csr_file_lies_beside_its_request_or_below(name):
    path = f"requests/payments/{name}"
    files = tree(**{"requests/payments/api.yaml": beside(name), path: b"\x30\x00"})
    found = requests(files)
    assert found.findings == ()
    csr = found.csrs["payments/api"]
    assert (csr.path, csr.blob, csr.data) == (path, path, b"\x30\x00")
    assert str(csr.location) == "requests/payments/api.yaml:9:12"


def test_a_csr_file_that_is_not_in_the_commit_is_refused():
    found = requests(tree(**{"requests/payments/api.yaml": beside("api.csr")}))
    assert brief(found.findings) == ["requests/payments/api.yaml:9:12 request.csr-file.missing"]
    assert "requests/payments/api.csr" in found.findings[0].message
    assert found.requests == {}


def test_a_csr_file_cannot_be_another_document():
    files = tree(**{"requests/payments/api.yaml": beside("api-revoked.yaml")})
    assert [one.rule for one in requests(files).findings] == ["request.csr-file.missing"]


def test_a_csr_file_cannot_be_a_link():
    files = tree(
        **{
            "requests/payments/api.yaml": beside("api.csr"),
            "requests/payments/api.csr": "/etc/passwd",
        }
    )
    found = requests(files, requests_payments_api_csr="120000")
    assert brief(found.findings) == [
        "requests/payments/api.csr:1:1 path.symlink",
        "requests/payments/api.yaml:9:12 request.csr-file.mode",
    ]


def test_a_csr_file_cannot_lie_behind_a_linked_folder():
    files = tree(
        **{
            "requests/payments/api.yaml": beside("there/api.csr"),
            "requests/payments/there": "/etc",
        }
    )
    found = requests(files, requests_payments_there="120000")
    assert [one.rule for one in found.findings] == ["path.symlink", "request.csr-file.missing"]


def test_an_oversized_csr_file_is_refused():
    files = tree(
        **{
            "requests/payments/api.yaml": beside("api.csr"),
            "requests/payments/api.csr": b"x" * (64 * 1024 + 1),
        }
    )
    assert [one.rule for one in requests(files).findings] == ["request.csr.size"]


KEY = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----\n"


def test_a_private_key_in_place_of_a_csr_is_told_apart_and_not_repeated():
    inline = REQUEST.replace("CERTIFICATE REQUEST", "PRIVATE KEY")
    in_file = tree(
        **{
            "requests/payments/api.yaml": beside("api.csr"),
            "requests/payments/api.csr": KEY,
        }
    )
    for files in (tree(**{"requests/payments/api.yaml": inline}), in_file):
        (finding,) = requests(files).findings
        assert finding.rule == "request.csr.private-key"
        assert "MC4CAQAwBQYDK2Vw" not in str(finding)
        assert "compromised" in finding.remedy


def test_the_order_of_a_tree_changes_nothing():
    files = tree(**{"requests/b.yaml": "{", "requests/a.yaml": "{", "requests/A.yaml": REQUEST})
    listing = entries(files)
    forwards = load_requests(listing, reader(files))
    backwards = load_requests(listing[::-1], reader(files))
    assert forwards.findings == backwards.findings
    assert forwards.broken == backwards.broken


def seconds(count: int) -> float:
    """How long the names of so many requests take, one of them opened."""
    files = {f"requests/team{index % 100}/api{index}.yaml": REQUEST for index in range(count)}
    listing = entries(files)
    began = time.perf_counter()
    found = load_requests(listing, reader(files), only=["requests/team0/api0.yaml"])
    assert list(found.requests) == ["team0/api0"]
    return time.perf_counter() - began


def test_the_scan_of_names_is_linear():
    seconds(1_000)
    # Ten times the names; quadratic work would take a hundred times as long.
    assert seconds(50_000) < 40 * seconds(5_000)
