"""What remains to be done on GitHub before its pipelines work."""

from __future__ import annotations

from collections.abc import Iterator

from gitca.cli.scaffold.pipelines import S3_KEY, Setting
from gitca.cli.scaffold.remaining import (
    NO_TOOL,
    Place,
    Step,
    aws_steps,
    key_step,
    target_steps,
    tool_step,
)

ISSUER = "token.actions.githubusercontent.com"
CLIENTS = "GitHub's `gh` and, for AWS, `aws`"
_NO_REPOSITORY = "OWNER/NAME"
_IN = '--env gitca --repo "$REPOSITORY"'
# As GitHub writes it for repositories made since 2026: a name that somebody else has later is not
# the same subject (GitHub Docs, "Immutable subject claims").
_SUBJECT = (
    '$(gh api "repos/$REPOSITORY" --jq \\\n'
    "  '\"repo:\\(.owner.login)@\\(.owner.id)/\\(.name)@\\(.id):environment:gitca\"')"
)


def github_steps(setting: Setting, place: Place) -> Iterator[Step]:
    """Yield the steps in their order; commands of later ones use what earlier ones set."""
    if setting.tool == NO_TOOL:
        yield tool_step(".github/workflows/*.yml")
    yield _repository(place)
    yield from aws_steps(setting, place, issuer=ISSUER, subject=_SUBJECT)
    yield _environment(setting, place)
    yield key_step(setting, store=_stored(setting))
    yield from target_steps(setting, store=[f"gh secret set {name} {_IN}" for name in S3_KEY])
    yield _app(place)
    yield Step(
        "What workflows may do by default: read. (For pull requests of strangers, look at"
        " Settings > Actions > General > Approval as well.)",
        (
            'gh api --method PUT "repos/$REPOSITORY/actions/permissions/workflow" \\\n'
            "  -f default_workflow_permissions=read \\\n"
            "  -F can_approve_pull_request_reviews=false",
        ),
    )
    yield Step(
        "The documents. This starts the first reconcile:",
        (f"git push --set-upstream origin {setting.branch}",),
    )
    yield from _rules(setting)
    yield Step(
        "Look at what it did:",
        (
            'gh run list --repo "$REPOSITORY" --workflow reconcile',
            "git pull && gitca doctor && gitca verify",
        ),
    )


def _repository(place: Place) -> Step:
    return Step(
        "An empty repository; nothing is pushed yet. A private one needs GitHub Pro, Team or"
        " Enterprise: in GitHub Free it has no environments, rules of branches or code owners, and"
        " any branch could use the keys.",
        (
            f"REPOSITORY={place.path or _NO_REPOSITORY}",
            'gh repo create "$REPOSITORY" --private',
            f'git remote add origin "https://{place.host}/$REPOSITORY.git"',
        ),
    )


def _environment(setting: Setting, place: Place) -> Step:
    role = setting.signer == "awskms" and not setting.role
    variables = [_variable("GITCA_AWS_ROLE", '"$ROLE"')]
    if place.buckets and setting.signer != "awskms":
        role = True
        variables.append(_variable("GITCA_AWS_REGION", "REGION"))
    return Step(
        f"The environment gitca, open to the branch {setting.branch} alone. Reviewers there would"
        " have to approve every run, the scheduled ones too; CRLs wait for them.",
        (
            'gh api --method PUT "repos/$REPOSITORY/environments/gitca" \\\n'
            "  --input setup/github-environment.json",
            "gh api --method POST \\\n"
            '  "repos/$REPOSITORY/environments/gitca/deployment-branch-policies" \\\n'
            f"  -f name={setting.branch} -f type=branch",
            *(variables if role else ()),
        ),
    )


def _variable(name: str, value: str) -> str:
    return f'gh variable set {name} --env gitca \\\n  --repo "$REPOSITORY" --body {value}'


def _stored(setting: Setting) -> tuple[str, ...]:
    if setting.signer == "file":
        return (
            f"gh secret set GITCA_KEY_PASSPHRASE {_IN}",
            f"gh secret set GITCA_ISSUING_KEY {_IN} \\\n  < .gitca/keys/issuing.pem",
            f"gh secret set GITCA_ROOT_KEY {_IN} \\\n  < .gitca/keys/root.pem",
        )
    return (f"gh secret set GITCA_PKCS11_PIN {_IN}",) if setting.signer == "pkcs11" else ()


def _app(place: Place) -> Step:
    owner = place.path.partition("/")[0] or "OWNER"
    address = f"https://{place.host}/organizations/{owner}/settings/apps/new"
    return Step(
        "A GitHub App of your own that pushes: a workflow's own token cannot pass a rule of the"
        f" branch. At {address} (or your own settings): no webhook, the repository permission"
        " Contents: read and write, no other; install it on this repository alone, make a private"
        " key. CLIENT_ID and PRIVATE_KEY.pem are what it gives you:",
        (
            _variable("GITCA_APP_CLIENT_ID", "CLIENT_ID"),
            "gh secret set GITCA_APP_PRIVATE_KEY --env gitca \\\n"
            '  --repo "$REPOSITORY" < PRIVATE_KEY.pem',
        ),
    )


def _rules(setting: Setting) -> Iterator[Step]:
    create = 'gh api --method POST "repos/$REPOSITORY/rulesets" --input'
    with_app = "sed 's|\"APP_ID\"|APP_ID|' setup/{} |\n  " + create + " -"
    what = (
        f"The rule of the branch {setting.branch}: a review by the code owners and a plan without"
    )
    if setting.issued_branch:
        yield Step(
            f"{what} errors, for everybody. And that of {setting.issued_branch}, to which the App"
            " alone pushes; APP_ID is the App's number:",
            (
                f"{create} \\\n  setup/github-ruleset.json",
                with_app.format("github-ruleset-issued.json"),
            ),
        )
    else:
        yield Step(
            f"{what} errors, for everybody but the App. APP_ID is the App's number:",
            (with_app.format("github-ruleset.json"),),
        )
    yield Step(
        f"The owners. {setting.security} and the others that .github/CODEOWNERS names have to be"
        " there, with write access; a line with an unknown name binds nobody:",
        ('gh api "repos/$REPOSITORY/codeowners/errors"',),
    )
