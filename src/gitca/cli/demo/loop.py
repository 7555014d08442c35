"""The whole loop: CAs, a request, review, merge, issuance, revocation, and the proof of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from gitca.cli.demo.aws_acts import ask_permission, hold_against_ledger, look_at_bucket
from gitca.cli.demo.cloud import Cloud
from gitca.cli.demo.story import Actor, chapter, perform, tell
from gitca.cli.output import write_line
from gitca.errors import GitcaError

REQUEST = "demo/shop"
_REVOKED = 2  # what `openssl verify` exits with when a certificate does not verify


@dataclass(frozen=True, slots=True)
class Stage:
    """Who plays in which folder, and what is asked for: a name under `domain`, by `policy`.

    With a `cloud` the keys are in KMS there, and the CRLs in a bucket.
    """

    folder: Path
    pipeline: Actor
    alice: Actor
    policy: str
    ca: str
    root: str
    domain: str
    has_openssl: bool
    cloud: Cloud | None = None

    @property
    def certificate(self) -> str:
        """The path of the certificate that the loop is about."""
        return f"issued/{self.ca}/certificates/{REQUEST}.pem"


def run_loop(stage: Stage) -> None:
    """Play every act in its order. Raises: GitcaError at the first that is not as expected."""
    make_authorities(stage)
    ask(stage)
    review(stage)
    issue(stage)
    revoke(stage)
    prove(stage)
    if stage.cloud is not None:
        hold_against_ledger(stage.alice.folder, stage.cloud)
    tell_where_to_look(stage)


def make_authorities(stage: Stage) -> None:
    """The pipeline makes the CAs' certificates, their CRLs, and whatever was asked for already."""
    chapter("2. The pipeline makes what the documents say")
    has = "the keys and their passphrase" if stage.cloud is None else "a role that may sign"
    tell(
        f"""Only the pipeline has {has}. `reconcile` compares the documents with the ledger, records
        every order in a pushed commit, and signs only then."""
    )
    if stage.cloud is not None:
        ask_permission(stage.pipeline)
    perform(stage.pipeline, "gitca", "reconcile")
    perform(stage.pipeline, "gitca", "list")
    if stage.cloud is not None:
        look_at_bucket(stage.pipeline, stage.cloud)


def ask(stage: Stage) -> None:
    """A developer makes a key and a CSR, and writes the request on a branch."""
    chapter("3. Alice asks for a certificate")
    perform(stage.alice, "git", "pull", "--quiet", "--ff-only", hidden=True)
    perform(stage.alice, "git", "switch", "--quiet", "--create", "request-shop")
    _make_csr(stage)
    tell("She mistypes the name. The policy allows no such one, and she is told where and why:")
    perform(stage.alice, *_request("demo/typo", stage, f"shop.{stage.domain}.example"), expect=1)
    perform(stage.alice, "rm", "requests/demo/typo.yaml")
    tell("Once more, with the right name:")
    perform(stage.alice, *_request(REQUEST, stage, f"shop.{stage.domain}"))
    _commit_and_push(stage, f"request {REQUEST}", "request-shop")


def review(stage: Stage) -> None:
    """The pull request is judged by the policies of the branch that it wants to enter."""
    chapter("4. Review, on the pull request")
    tell(
        """Neither needs a key or a network. With --base the policies come from main, so that a
        pull request cannot bring its own."""
    )
    perform(stage.alice, "gitca", "validate")
    perform(stage.alice, "gitca", "plan", "--base", "origin/main")


def issue(stage: Stage) -> None:
    """A maintainer merges, the pipeline reconciles, openssl agrees."""
    chapter("5. Merge, and issue")
    _merge(stage, "request-shop")
    perform(stage.pipeline, "gitca", "reconcile")
    perform(stage.alice, "git", "pull", "--quiet", "--ff-only")
    perform(stage.alice, "gitca", "show", REQUEST)
    _check_with_openssl(stage, revoked=False)


def revoke(stage: Stage) -> None:
    """The same way for a revocation: a document, a merge, a reconcile, a CRL."""
    chapter("6. The key leaks, and the certificate is revoked")
    perform(stage.alice, "git", "switch", "--quiet", "--create", "revoke-shop")
    perform(stage.alice, "gitca", "revoke", REQUEST, "--reason", "keyCompromise")
    _commit_and_push(stage, f"revoke {REQUEST}", "revoke-shop")
    _merge(stage, "revoke-shop")
    perform(stage.pipeline, "gitca", "reconcile")
    perform(stage.alice, "git", "pull", "--quiet", "--ff-only")
    perform(stage.alice, "gitca", "show", "--crl", stage.ca)
    _check_with_openssl(stage, revoked=True)


def prove(stage: Stage) -> None:
    """Anybody with a clone can check every invariant, and nothing is left to do."""
    chapter("7. Proof, from any clone")
    perform(stage.alice, "gitca", "verify")
    perform(stage.alice, "gitca", "plan")
    answer = perform(stage.alice, "gitca", "plan", "--format", "json", hidden=True)
    if json.loads(answer)["actions"]:
        raise GitcaError("the demo stopped: the plan after a reconcile is not empty")


def tell_where_to_look(stage: Stage) -> None:
    """What is left behind, and where."""
    chapter("Where to look")
    tell(f"All of it is kept in {stage.folder}, and nothing is left running:")
    keys = ("pipeline/.gitca/keys/", "the keys, encrypted; nobody knows the passphrase any longer")
    if stage.cloud is not None:
        keys = ("public-read.json", "the bucket's policy; bucket and keys went with the server")
    for place, what in (
        ("alice/requests/demo/", "what Alice wrote"),
        (f"alice/{stage.certificate}", "the certificate, with its chain"),
        (f"alice/issued/{stage.ca}/crl.der", "the CRL that it is on"),
        ("alice/issued/ledger/", "every order, signature and revocation"),
        keys,
    ):
        write_line(f"  {place}")
        write_line(f"      {what}")
    tell("git log, in alice/, shows who asked for what, and what gitca did.")


def _make_csr(stage: Stage) -> None:
    if not stage.has_openssl:
        tell("There is no openssl here, so gitca will make the key and the CSR (--new-key).")
        return
    perform(
        stage.alice,
        *("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-keyout", "../alice.key", "-out", "../alice.csr", "-subj", "/"),
        quiet=True,
    )
    tell("The key stays with her. The CSR need not state a name: the request does.")


def _request(name: str, stage: Stage, host: str) -> list[str]:
    stem = name.rsplit("/", 1)[-1]
    source = ["--csr", "../alice.csr"] if stage.has_openssl else ["--new-key", f"../{stem}.key"]
    command = ["gitca", "request", "new", name, "--policy", stage.policy, *source]
    return [*command, "--dns", host, "--common-name", host]


def _commit_and_push(stage: Stage, message: str, branch: str) -> None:
    perform(stage.alice, "git", "add", "requests")
    perform(stage.alice, "git", "commit", "--quiet", "-m", message)
    perform(stage.alice, "git", "push", "--quiet", "origin", branch)


def _merge(stage: Stage, branch: str) -> None:
    tell("A maintainer approves and merges; here Alice's clone plays the forge.")
    perform(stage.alice, "git", "switch", "--quiet", "main")
    perform(stage.alice, "git", "pull", "--quiet", "--ff-only", hidden=True)
    perform(stage.alice, "git", "merge", "--quiet", "--no-ff", "--no-edit", branch)
    perform(stage.alice, "git", "push", "--quiet", "origin", "main")


def _check_with_openssl(stage: Stage, *, revoked: bool) -> None:
    if not stage.has_openssl:
        return
    crl: tuple[str, ...] = ("-CRLfile", f"issued/{stage.ca}/crl.der")
    if stage.cloud is not None:
        tell("openssl fetches the CRL by HTTP, from where the certificate says it is:")
        crl = ("-crl_download",)
    answer = perform(
        stage.alice,
        *("openssl", "verify", "-x509_strict", "-crl_check", *crl),
        *("-CAfile", f"issued/{stage.root}/ca.pem"),
        *("-untrusted", f"issued/{stage.ca}/chain.pem", stage.certificate),
        expect=_REVOKED if revoked else 0,
    )
    if revoked and "certificate revoked" not in answer:
        raise GitcaError("the demo stopped: openssl refuses the certificate for another reason")
