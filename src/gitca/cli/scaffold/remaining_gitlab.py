"""What remains to be done on GitLab before its pipelines work."""

from __future__ import annotations

from collections.abc import Iterator

from gitca.cli.scaffold.pipelines import S3_KEY, Setting
from gitca.cli.scaffold.remaining import (
    NO_TOOL,
    Place,
    Step,
    aws_steps,
    key_step,
    needs_aws,
    target_steps,
    tool_step,
)

CLIENTS = "GitLab's `glab` and, for AWS, `aws`"
_NO_PROJECT = "GROUP/NAME"


def gitlab_steps(setting: Setting, place: Place) -> Iterator[Step]:
    """Yield the steps in their order; commands of later ones use what earlier ones set."""
    if setting.tool == NO_TOOL:
        yield tool_step(".gitlab-ci.yml")
    yield Step(
        "An empty project; nothing is pushed yet:",
        (
            f"PROJECT={place.path or _NO_PROJECT}",
            'glab repo create "$PROJECT" --private --skipGitInit',
            f'git remote add origin "https://{place.host}/$PROJECT.git"',
        ),
    )
    yield Step(
        "No pipeline of a fork runs here. By default a member who presses Run pipeline in a merge"
        " request of a fork runs the fork's .gitlab-ci.yml in this project, with its variables and,"
        f" if the fork's branch is called {setting.branch} and GitLab is older than 18.2.2, as the"
        " role. What ran before stays as it was, so do it now:",
        (
            'glab api --method PUT "projects/:fullpath" \\\n'
            "  --field ci_allow_fork_pipelines_to_run_in_parent_project=false",
        ),
    )
    subject = f'"project_path:$PROJECT:ref_type:branch:ref:{setting.branch}"'
    yield from aws_steps(setting, place, issuer=place.host, subject=subject)
    yield from _variables(setting, place)
    yield key_step(setting, store=_stored(setting))
    yield from target_steps(setting, store=[_secret(name, name) for name in S3_KEY])
    yield from _rules(setting)
    yield Step(
        f"The schedule, at Build > Pipeline schedules: 17 */6 * * * in UTC, of the branch"
        f" {setting.branch}, owned by somebody who may merge to it. Renewals and CRLs fall due"
        " without anybody's commit."
    )
    yield Step(
        "Look at what it did:",
        ("glab ci status", "git pull && gitca doctor && gitca verify"),
    )


def _variables(setting: Setting, place: Place) -> Iterator[Step]:
    yield Step(
        "A project access token that pushes, at Settings > Access tokens: the role Maintainer,"
        " the scope write_repository, no other. From a file TOKEN, into a variable that protected"
        " branches alone have:",
        (_secret("GITCA_PUSH_TOKEN", "TOKEN"),),
    )
    if needs_aws(setting, place) and not setting.role:
        yield Step("The role, for the pipeline:", (_variable("GITCA_AWS_ROLE", '"$ROLE"'),))


def _variable(name: str, value: str) -> str:
    return f'glab variable set {name} {value} --protected \\\n  --repo "$PROJECT"'


def _secret(name: str, file: str, options: str = "--masked") -> str:
    # By standard input: what stands in a command, every process of the machine can read.
    return f'glab variable set {name} --protected {options} \\\n  --repo "$PROJECT" < {file}'


def _stored(setting: Setting) -> tuple[str, ...]:
    if setting.signer == "file":
        return (
            _secret("GITCA_KEY_PASSPHRASE", "PASSPHRASE"),
            *(
                _secret(f"GITCA_{ca.upper()}_KEY", f".gitca/keys/{ca}.pem", "--type file")
                for ca in ("issuing", "root")
            ),
        )
    return (_secret("GITCA_PKCS11_PIN", "PIN"),) if setting.signer == "pkcs11" else ()


def _rules(setting: Setting) -> Iterator[Step]:
    yield Step(
        "Settings > CI/CD > Variables: the minimum role to use pipeline variables is nobody. Who"
        " starts a pipeline by hand could otherwise override what it is told."
    )
    yield Step(
        "The documents. This starts the first reconcile:",
        (f"git push --set-upstream origin {setting.branch}",),
    )
    pushed = setting.issued_branch or setting.branch
    both = f" (and no one merges to {pushed})" if setting.issued_branch else ""
    yield Step(
        f"The rules. Settings > Repository > Protected branches: to {pushed} nobody pushes"
        f" but the token's user (where the plan has no users there: Maintainers){both}; to"
        f" {setting.branch} Maintainers merge; no force push, code owner approval where the plan"
        " has it. Settings > Merge requests: pipelines must succeed. Environments: gitca is"
        " protected, where the plan has it. The owners that .gitlab/CODEOWNERS names have to be"
        " members of this project."
    )
