"""May a certificate that an external CA gave be put into use? Judged like any other, as bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from gitca.documents.authority_certificates import CertificateFile
from gitca.documents.certificate_authority import CertificateAuthoritySpec
from gitca.documents.document import Document
from gitca.documents.fields import duration_text
from gitca.findings import Finding, Severity, in_order
from gitca.policy.constraint_bounds import not_excluded, too_wide
from gitca.policy.external_statement import constraints_are_read, discrepancies
from gitca.policy.name_constraints import stated_subtrees
from gitca.x509.certificate import Certificate
from gitca.x509.certificate_file import (
    CertificateFileError,
    CertificatePath,
    certificates_of,
    path_from,
    subject_words,
)
from gitca.x509.distinguished_name import same_name

_DAY = "%Y-%m-%dT%H:%M:%SZ"
_AGAIN = "have the external CA issue it again"


@dataclass(frozen=True, slots=True)
class ExternalCase:
    """A file beside the document of a CA whose issuer is external, about to be used.

    `key` (`sha256:…`) is the CA's, which its CSR fixed; `standing` is the certificate that it has.
    """

    authority: Document[CertificateAuthoritySpec]
    file: CertificateFile
    key: str
    standing: Certificate | None
    now: datetime

    def objection(self, rule: str, message: str, remedy: str = _AGAIN) -> Finding:
        """Return an error at the file."""
        return Finding(
            f"authority.certificate.{rule}", Severity.ERROR, message, self.file.location, remedy
        )

    def remark(self, rule: str, message: str, remedy: str) -> Finding:
        """Return a warning at the file."""
        name = f"authority.certificate.{rule}"
        return Finding(name, Severity.WARNING, message, self.file.location, remedy)


@dataclass(frozen=True, slots=True)
class ExternalVerdict:
    """The path that a file makes, None where it makes none, and what was found.

    Errors among the findings are a denial.
    """

    path: CertificatePath | None
    findings: tuple[Finding, ...]


def judge_external(case: ExternalCase) -> ExternalVerdict:
    """Return the path in a file, the CA's own certificate first, and all that speaks against it.

    The certificates may stand in any order: the CA's is the one on the CA's key. The path may stop
    below a root; the signature on its last certificate was then verified by nobody but the person
    who put it there.
    """
    try:
        listed = certificates_of(case.file.data)
        own = [item for item in listed if item.template.key_identifier == case.key]
        if len(own) != 1:
            return ExternalVerdict(None, (_no_own(case, listed, len(own)),))
        path = path_from(own[0], (item for item in listed if item is not own[0]))
    except CertificateFileError as error:
        finding = case.objection(error.rule.rpartition(".")[2], error.message, error.remedy)
        return ExternalVerdict(None, (finding,))
    found = (finding for rule in EXTERNAL_RULES for finding in rule(case, path))
    return ExternalVerdict(path, in_order(found))


def _no_own(case: ExternalCase, listed: tuple[Certificate, ...], count: int) -> Finding:
    name = case.authority.name
    if count:
        message = f"{count} certificates of the file are on the key of CA {name}, one is allowed"
        return case.objection("several", message, "leave the newest alone in it")
    seen = ", ".join(f"{subject_words(item)} on {item.template.key_identifier}" for item in listed)
    message = f"no certificate of the file is on the key of CA {name}, {case.key}: there is {seen}"
    remedy = f"let the external CA certify issued/{name}/ca.csr, and put its answer here"
    return case.objection("key", message, remedy)


def check_statement(case: ExternalCase, path: CertificatePath) -> Iterator[Finding]:
    """`.pathLength` and the like: the certificate says what the document says, and no more."""
    for item in discrepancies(case.authority, path.subject):
        remedy = f"{item.remedy} in {case.authority.path}, or {_AGAIN}" if item.remedy else _AGAIN
        yield case.objection(item.field, item.message, remedy)


def check_usage(case: ExternalCase, path: CertificatePath) -> Iterator[Finding]:
    """`.keyUsage`: the key may sign certificates and CRLs, and verifiers let it."""
    seen = path.subject.template.key_usage
    missing = [usage for usage in ("keyCertSign", "cRLSign") if usage not in seen]
    if missing:
        message = f"keyUsage is {', '.join(seen) or 'not there'}; {' and '.join(missing)} must be"
        yield case.objection("keyUsage", message)
    extended = path.subject.template.extended_key_usage
    if extended:
        message = (
            f"extendedKeyUsage {', '.join(extended[:10])} would bind all that the CA issues, and"
            " its document cannot state it; allowed is none"
        )
        yield case.objection("extendedKeyUsage", message)
    if path.subject.subject_key_identifier is None:
        message = "there is no subjectKeyIdentifier (RFC 5280 section 4.2.1.2)"
        yield case.objection("subjectKeyIdentifier", message)


def check_criticality(case: ExternalCase, path: CertificatePath) -> Iterator[Finding]:
    """`.critical`: what must be critical is, and nothing is that gitca does not know."""
    extensions = x509.load_der_x509_certificate(path.subject.der).extensions
    for kind in (x509.BasicConstraints, x509.NameConstraints):
        if any(isinstance(item.value, kind) and not item.critical for item in extensions):
            message = f"{kind.__name__} is not critical; RFC 5280 section 4.2.1 wants it to be"
            yield case.objection("critical", message)
    for message in _binding(extensions, _KNOWN):
        yield case.objection("critical", message)


_KNOWN = frozenset({"2.5.29.15", "2.5.29.19", "2.5.29.30", "2.5.29.32"})
_EXTENDED_KEY_USAGE = "2.5.29.37"
_ANY_USAGE = "2.5.29.37.0"
_POLICY_LIMITS = frozenset({"2.5.29.36", "2.5.29.54"})
"""policyConstraints and inhibitAnyPolicy: verifiers heed them, critical or not."""


def _binding(extensions: x509.Extensions, known: frozenset[str]) -> Iterator[str]:
    """Yield in words which extensions may bind what a CA issues and stand in no document."""
    for item in extensions:
        oid = item.oid.dotted_string
        if item.critical and oid not in known:
            seen = f"the extension {oid} is critical and may bind"
        elif oid in _POLICY_LIMITS:
            seen = f"the extension {oid} may bind"
        else:
            continue
        yield f"{seen} what the CA issues; allowed is none that documents cannot state"


def check_issuer(case: ExternalCase, path: CertificatePath) -> Iterator[Finding]:
    """`.issuer`: another CA signed it, and its key identifiers agree."""
    certificate = path.subject
    if same_name(certificate.subject_der, certificate.issuer_der):
        message = (
            "the certificate is self-signed, or its issuer has the name of its subject"
            " (RFC 5280 section 7.1); allowed is one that another CA signed"
        )
        remedy = "have the external CA certify the CSR, or write issuer: self and remove the file"
        yield case.objection("issuer", message, remedy)
    for lower, upper in zip(path.certificates, path.above, strict=False):
        named, own = lower.authority_key_identifier, upper.subject_key_identifier
        if named is not None and own is not None and named != own:
            message = (
                f"{subject_words(lower)} names the key {named.hex()} as its issuer's, and"
                f" {subject_words(upper)} has {own.hex()}"
            )
            yield case.objection("issuer", message, "put the issuer's own certificate here")


def check_dates(case: ExternalCase, path: CertificatePath) -> Iterator[Finding]:
    """`.validity`: all of the path is valid now, and the CA's is not older than the last."""
    for item in path.certificates:
        if not item.not_before <= case.now < item.not_after:
            message = (
                f"{subject_words(item)} is valid from {item.not_before:{_DAY}} to"
                f" {item.not_after:{_DAY}}; allowed is a certificate that is valid now"
            )
            yield case.objection("validity", message, "put the current certificate here")
    standing = case.standing
    if standing is not None and path.subject.not_before < standing.not_before:
        message = (
            f"the certificate is from {path.subject.not_before:{_DAY}}, older than the one in use,"
            f" from {standing.not_before:{_DAY}}"
        )
        yield case.objection("older", message, "put the newest certificate here")


def check_life(case: ExternalCase, path: CertificatePath) -> Iterator[Finding]:
    """`.life`: those above last as long as the CA's certificate."""
    end = path.subject.not_after
    for item in path.above:
        if item.not_after < end:
            message = (
                f"{subject_words(item)} ends at {item.not_after:{_DAY}}, and the certificate of CA"
                f" {case.authority.name} at {end:{_DAY}}: what the CA issues is not valid after"
                " the first of them"
            )
            remedy = "have the CA certified by one that lasts, or renewed in time"
            yield case.remark("life", message, remedy)


def check_length(case: ExternalCase, path: CertificatePath) -> Iterator[Finding]:
    """`.longer`: the parent decides on the end, and a person learns where it gave more."""
    stated, certificate = case.authority.spec.validity, path.subject
    # Many CAs backdate: what is a day longer is not longer.
    if certificate.not_after - certificate.not_before > stated + timedelta(days=1):
        message = (
            f"the certificate is valid until {certificate.not_after:{_DAY}}, longer than the"
            f" {duration_text(stated)} that {case.authority.path} states"
        )
        remedy = f"state what you mean there (validity), or {_AGAIN}"
        yield case.remark("longer", message, remedy)


def check_above(case: ExternalCase, path: CertificatePath) -> Iterator[Finding]:
    """`.above`: those above are CAs, and let one this deep be."""
    for below, item in enumerate(path.above, start=1):
        basic, usage = item.template.basic_constraints, item.template.key_usage
        who = subject_words(item)
        if basic is None or (usage and "keyCertSign" not in usage):
            message = f"{who} is in the path and may sign no certificates (RFC 5280 section 6.1.4)"
            yield case.objection("above", message, "put the issuer's certificate here")
        elif basic.path_length is not None and basic.path_length < below:
            message = f"{who} has pathLength {basic.path_length}; {below} is needed"
            yield case.objection("above", f"{message} above CA {case.authority.name}")
        own = case.authority.spec.path_length
        most = basic.path_length - below if basic and basic.path_length is not None else None
        if most is not None and most >= 0 and (own is None or own > most):
            message = f"{who} leaves room for pathLength {most}, and the document states"
            remedy = f"write pathLength: {most} or less in {case.authority.path}, and {_AGAIN}"
            seen = "none" if own is None else str(own)
            yield case.objection("above", f"{message} {seen}", remedy)


def check_extensions_above(case: ExternalCase, path: CertificatePath) -> Iterator[Finding]:
    """`.above`: those above bind what is issued below them to nothing that documents cannot say."""
    for item in path.above:
        who = subject_words(item)
        extensions = x509.load_der_x509_certificate(item.der).extensions
        for message in _binding(extensions, _KNOWN | {_EXTENDED_KEY_USAGE}):
            yield case.objection("above", f"{who}: {message}", _OTHER_CA)
        usages = item.template.extended_key_usage
        if usages and _ANY_USAGE not in usages:
            message = (
                f"{who} has extendedKeyUsage {', '.join(usages[:10])}, to which many verifiers bind"
                f" all that is issued below it; allowed are none, or {_ANY_USAGE} among them"
            )
            yield case.objection("above", message, _OTHER_CA)


_OTHER_CA = "have the CSR certified by a CA without it"


def check_constraints_above(case: ExternalCase, path: CertificatePath) -> Iterator[Finding]:
    """`.constraintsAbove`: the document states what the CAs above bind it to."""
    stated = tuple(stated_subtrees(case.authority.spec.name_constraints))
    for item in path.above:
        constraints, who = item.template.name_constraints, subject_words(item)
        if constraints is not None:
            problems = (
                *too_wide(stated, constraints, who),
                *not_excluded(stated, constraints, who),
            )
            for message, _ in problems:
                remedy = f"state nameConstraints within it in {case.authority.path}, and {_AGAIN}"
                yield case.objection("constraintsAbove", message, remedy)
        if not constraints_are_read(item):
            message = f"{who} has nameConstraints of a type or form that gitca does not read"
            remedy = f"see that the policies of CA {case.authority.name} keep within them"
            yield case.remark("constraintsAbove", message, remedy)


def check_end(case: ExternalCase, path: CertificatePath) -> Iterator[Finding]:
    """`.unverified`: who signed the last certificate is known, or said not to be."""
    if not path.is_whole:
        last = path.certificates[-1]
        message = (
            f"the file ends at {subject_words(last)}, whose issuer's certificate is not in it:"
            " its signature was not verified"
        )
        remedy = "add the issuer's certificate; a root in the file is left out of chains"
        yield case.remark("unverified", message, remedy)


ExternalRule = Callable[[ExternalCase, CertificatePath], Iterator[Finding]]

EXTERNAL_RULES: tuple[ExternalRule, ...] = (
    check_statement,
    check_usage,
    check_criticality,
    check_issuer,
    check_dates,
    check_life,
    check_length,
    check_above,
    check_extensions_above,
    check_constraints_above,
    check_end,
)
