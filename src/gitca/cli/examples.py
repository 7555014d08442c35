"""The examples that `--help` ends with, and the exit codes."""

from __future__ import annotations


def _examples(*lines: str) -> str:
    # \b: the help formatter leaves the lines that follow as they are.
    return "\n".join(("\b", "Examples:" if len(lines) > 1 else "Example:", *lines))


EXIT_CODES = "\n".join(
    (
        "\b",
        "Exit codes:",
        "  0  done",
        "  1  findings: a document says what may not be",
        "  2  wrong usage",
        "  3  lost a race; run again",
        "  4  a backend is unreachable or throttling; run again",
        "  5  the repository contradicts itself; a person must look",
        "  70 a defect in gitca; 130 interrupted; 141 nobody reads the output any more",
        "",
        "\b",
        "Start here:",
        "  gitca demo",
        "  gitca init DIR --domain example.internal --organization Example",
    )
)

EXAMPLES = {
    "init": _examples(
        "  gitca init pki --domain example.internal --organization Example",
        "  gitca init pki --domain example.internal --organization Example \\",
        "      --signer awskms --region eu-west-1",
        "  gitca init pki --domain example.internal --organization Example \\",
        "      --signer pkcs11 --token pki --module /usr/lib/softhsm/libsofthsm2.so",
    ),
    "demo": _examples(
        "  gitca demo",
        "  gitca demo --documents . --into /tmp/loop",
        "  gitca demo --aws          keys in KMS; no account is needed",
    ),
    "validate": _examples(
        "  gitca validate                             the whole repository",
        "  gitca validate requests/payments/api.yaml  one request",
        "  gitca validate --require-clean --write junit=report.xml",
    ),
    "plan": _examples(
        "  gitca plan                        what a reconcile would do now",
        "  gitca plan --base origin/main     a pull request, judged by main's policies",
        "  gitca plan --at 2027-01-01T00:00:00Z --format json",
        "  gitca plan --base origin/main --format github \\",
        "      --write markdown=plan.md --write sarif=gitca.sarif",
    ),
    "reconcile": _examples(
        "  gitca reconcile", "  gitca reconcile --ca issuing", "  gitca reconcile --take-over"
    ),
    "sign": _examples(
        "  gitca sign --ca root             show what awaits the key, ask, sign",
        "  gitca sign --ca root --offline   without a network, on the local branch",
        "  gitca sign                       carry over what was signed offline",
    ),
    "publish": _examples(
        "  gitca publish                what differs, to every target",
        "  gitca publish --target 2     to the second target alone",
        "  gitca publish --complete     look at every object, and mend what drifted",
    ),
    "verify": _examples(
        "  gitca verify", "  gitca verify --since 2026-11-23", "  gitca verify --format json"
    ),
    "list": _examples(
        "  gitca list",
        "  gitca list --status valid --ca issuing",
        "  gitca list --format json | jq '.[] | select(.status == \"revoked\").serial'",
    ),
    "show": _examples(
        "  gitca show payments/api           a request's current certificate",
        "  gitca show 3f2a09…                a certificate, by its serial number",
        "  gitca show issuing                a CA",
        "  gitca show --crl issuing --format pem > issuing.crl",
    ),
    "status": _examples(
        "  gitca status", "  gitca status --strict   exit 1 if anything is overdue"
    ),
    "request new": _examples(
        "  gitca request new payments/api --policy internal-server --csr api.csr \\",
        "      --dns api.example.internal --common-name api.example.internal",
        "  gitca request new jobs/backup --policy internal-client --validity 7d \\",
        "      --new-key backup.key --dns backup.jobs.example.internal",
        "  gitca request new shop/old --policy internal-server --csr rsa.csr \\",
        "      --dns old.example.internal \\",
        "      --key-usage digitalSignature --key-usage keyEncipherment",
    ),
    "request show": _examples("  gitca request show payments/api"),
    "revoke": _examples(
        "  gitca revoke payments/api --reason keyCompromise",
        "  gitca revoke 3f2a09… --ca issuing --reason superseded",
    ),
    "policy test": _examples(
        "  gitca policy test                  the tests of all policies",
        "  gitca policy test internal-server",
    ),
    "policy explain": _examples("  gitca policy explain internal-server"),
    "policy check": _examples("  gitca policy check payments/api"),
    "policy diff": _examples(
        "  gitca policy diff origin/main                what my edits would do",
        "  gitca policy diff main --most 100 --format json",
    ),
    "keys create": _examples(
        "  gitca keys create root --spec P-384    at the signer that ca/root.yaml names",
        "  gitca keys create file:.gitca/keys/spare.pem",
        "  gitca keys create awskms:///alias/example-root?region=eu-west-1 --print \\",
        "      --spec ECC_NIST_P384 --sign-role arn:aws:iam::111122223333:role/gitca",
    ),
    "keys show": _examples("  gitca keys show issuing", "  gitca keys show issuing --format pem"),
    "doctor": _examples("  gitca doctor", "  gitca doctor --ca issuing --format json"),
    "schema": _examples(
        "  gitca schema CertificateRequest > request.schema.json",
        "  gitca schema --output schemas",
    ),
}
