"""Outcomes of which every text that a document could give is drawn, hostile ones among them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import strategies as st

from gitca.findings import Finding, Location, Severity
from gitca.ledger.events import DocumentReference, SourceDocuments
from gitca.plan.background import Background, Present
from gitca.plan.model import (
    Action,
    CreateAuthority,
    CrossCertify,
    IssueCertificate,
    PendingOrder,
    Plan,
    RequestAuthority,
    RevokeCertificate,
    SignCrl,
)
from gitca.plan.outcome import Outcome
from gitca.plan.what_if import Consequence, WhatIf
from gitca.policy.period import Period
from gitca.x509.template import CertificateTemplate, GeneralName, NameAttribute

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
SPKI = (
    ec.derive_private_key(7, ec.SECP256R1())
    .public_key()
    .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
)
EVIL = (
    "@octocat", "#123", "GH-12", "gitca/gitca#1", "https://evil.example/x", "www.evil.example",
    "a@b.example", "<img src=x onerror=alert(1)>", "</summary></details>", "<!-- gitca plan -->",
    "```", "`", "``", " ` ", "|", "\\|", "\\", "](http://evil.example)", "![x](//evil.example/y)",
    "[x](y)", "[x]: http://evil.example", "\n\n# heading\n\n", "\r\n- item", "\n---\n", "\n> quote",
    "::error file=x::y", "##[error]x", "##vso[task]", "\u202e", "\u2066", "\u200b", "\ufeff",
    "&lt;script&gt;", "&#64;octocat", "deadbeef" * 5, "deadbee", "1234567", "**b**", "~~s~~",
    "$x$", ":tada:", "\x00", "\x1b[31m", "\ud800", "\uffff", "“", "”", "“a” b", "'", "%0A", "%",
    "]]>", "{0}", "+ ", "- ", "-> @octocat", "x" * 500, "*", "_a_", "!1", "~label", "&1", "\u2028",
    "\t", "    code", "1. one", "\\`", "\\@octocat", "…", "(", ")", "[^1]", "\x85", "é", "日本",
    # Fences beyond what cmark-gfm reads (80), and what forges add to Markdown.
    "`" * 4, "`" * 79, "`" * 80, "`" * 81, "`" * 200, "[^1]: note", "\n> [!NOTE]\n> x", "- [ ] x",
    "$$x$$", "$`x`$", "`$", "~s~", "{+ x +}", "[[_TOC_]]", "```math", ":+1:", "ftp://evil.example",
    "6", "mailto:a@b.example", "xmpp:a@b.example/x", "\n| a |\n| - |\n", "<!--", "-->", "<?x?>",
    "<!X>",
)  # fmt: skip

fragments = st.sampled_from(EVIL) | st.text(max_size=12)
texts = st.lists(fragments, min_size=1, max_size=4).map(" ".join) | st.lists(
    fragments, min_size=1, max_size=4
).map("".join)
locations = st.builds(Location, texts, st.integers(1, 9999), st.integers(1, 99))
findings = st.builds(
    Finding, texts, st.sampled_from(Severity), texts, locations, texts | st.just(""),
    texts | st.just(""),
)  # fmt: skip
references = st.builds(DocumentReference, texts, st.just("0" * 40))
sources = st.builds(SourceDocuments, references, references, references, references)
names = st.builds(GeneralName, st.sampled_from(["dns", "uri", "email"]), texts)
templates = st.builds(
    CertificateTemplate,
    subject=st.lists(st.builds(NameAttribute, st.just("2.5.4.3"), texts), max_size=2).map(tuple),
    spki_der=st.just(SPKI),
    sans=st.lists(names, max_size=3).map(tuple),
    crl_urls=st.lists(texts, max_size=1).map(tuple),
)
periods = st.just(Period(timedelta(days=30), timedelta(minutes=5)))
issues = st.builds(
    IssueCertificate, st.sampled_from(["issue", "renew", "rekey"]), texts, texts, texts, sources,
    templates, periods, st.lists(texts, max_size=2).map(tuple), st.none() | st.just(NOW),
)  # fmt: skip
revocations = st.builds(
    RevokeCertificate, texts, texts, texts | st.none(), texts | st.none(), texts, st.just(NOW),
    references, texts,
)  # fmt: skip
actions = (
    issues
    | revocations
    | st.builds(CreateAuthority, texts, texts, texts, sources)
    | st.builds(RequestAuthority, texts, texts, texts, sources)
    | st.builds(CrossCertify, texts, texts, texts, sources, templates, periods)
    | st.builds(SignCrl, texts, texts, sources, st.sampled_from(["sign-crl", "retire-ca"]))
)
presents = st.builds(Present, texts, texts, st.just(NOW), st.just(NOW), templates, st.booleans())
backgrounds = st.builds(
    Background, locations, texts | st.none(), texts | st.none(), presents | st.none()
)
pending = st.builds(
    PendingOrder, texts, texts, texts | st.none(), texts | st.none(), st.just(NOW), texts
)
consequences = st.builds(
    Consequence, texts, texts, st.sampled_from(["denied", "admitted", "reissued"]),
    st.lists(findings, max_size=2).map(tuple), st.lists(texts, max_size=2).map(tuple), st.just(()),
)  # fmt: skip
what_ifs = st.builds(
    WhatIf, st.lists(texts, max_size=8).map(tuple), st.integers(0, 10**6),
    st.lists(consequences, max_size=3).map(tuple),
)  # fmt: skip


@dataclass(frozen=True)
class Given:
    """The same background for every action."""

    background: Background

    def __call__(self, _: Action) -> Background:
        return self.background


def _outcome(
    found: list[Finding],
    done: list[Action],
    background: Background,
    waiting: list[PendingOrder],
    changed: WhatIf | None,
    *,
    is_strict: bool,
) -> Outcome:
    plan = Plan(tuple(done), tuple(found), tuple(waiting))
    paths = tuple(sorted({item.location.file for item in found[::2]}))
    return Outcome("plan", paths, tuple(found), plan, changed, Given(background), is_strict)


outcomes = st.builds(
    _outcome, st.lists(findings, max_size=4), st.lists(actions, max_size=3), backgrounds,
    st.lists(pending, max_size=2), what_ifs | st.none(), is_strict=st.booleans(),
)  # fmt: skip
