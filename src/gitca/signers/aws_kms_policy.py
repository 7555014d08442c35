"""The key that `gitca keys create` makes in AWS KMS: parameters, tags, and its key policy.

A key policy that names no more than it must (AWS KMS Developer Guide, "Key policies"):

- The signing roles may Sign, with the algorithms and message types that gitca uses of such a key,
  and read its public half. They cannot manage it.
- The administrators may do all but sign. They could write themselves another policy, which
  CloudTrail shows; no statement lets anybody create a grant, which would do so more quietly.
- A key is deleted with the longest waiting period there is, 30 days, or not at all.
- Nobody may encrypt, decrypt or derive: the key usage is SIGN_VERIFY, which never changes.

AWS's default policy lets the account's IAM policies allow anything, Sign included, to anyone in the
account. Here the account has one of two statements, so that a key outlives the roles it names.
Where administrators are named, the account's root user alone, and not IAM, may put the policy
right. Where none are, the account's IAM policies say who manages the key, and cannot let anybody
sign. KMS refuses a policy under which whoever creates the key could not change it again (the
lockout safety check); it is never bypassed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from gitca.errors import UsageError
from gitca.signers import KeyOptions
from gitca.signers.aws_kms_specs import kms_algorithms, message_types
from gitca.signers.key_spec_names import KMS_SPECS

DELETION_WINDOW_DAYS = 30  # ScheduleKeyDeletion takes 7 to 30
DESCRIPTION = "Signing key of a certificate authority, made by gitca"
LARGEST_POLICY = 32 * 1024  # AWS KMS, "Resource quotas"

_PRINCIPAL = re.compile(
    r"(?P<account>arn:aws(?:-[a-z]{1,8}){0,3}:iam::[0-9]{12}):(?:role|user)/[\w+=,.@/-]{1,575}",
    re.ASCII,
)
_READ = ("kms:DescribeKey", "kms:GetPublicKey")
_ADMINISTER = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:GetKeyPolicy",
    "kms:GetPublicKey",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
_ADMINISTER_REGIONS = ("kms:ReplicateKey", "kms:UpdatePrimaryRegion")
_RECOVER = ("kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy")

Json = Mapping[str, object]


def create_key_parameters(spec: str, alias: str, options: KeyOptions) -> dict[str, object]:
    """Return the parameters of CreateKey for a key of gitca's spec, which an alias will name.

    Raises: UsageError for principals that are none, and when nobody is named who may sign.
    """
    policy = json.dumps(key_policy(spec, options), separators=(",", ":"))
    if len(policy) > LARGEST_POLICY:
        raise UsageError(
            f"the key policy has {len(policy)} bytes; AWS KMS allows {LARGEST_POLICY}",
            remedy="name fewer roles",
        )
    return {
        "KeySpec": KMS_SPECS[spec],
        "KeyUsage": "SIGN_VERIFY",
        "Origin": "AWS_KMS",
        "MultiRegion": options.multi_region,
        "Description": DESCRIPTION,
        "Policy": policy,
        "Tags": [{"TagKey": "gitca", "TagValue": alias.removeprefix("alias/")}],
    }


def key_policy(spec: str, options: KeyOptions) -> dict[str, object]:
    """Return the key policy of a key of gitca's spec, as JSON. Raises: UsageError."""
    if not options.signing_roles:
        raise UsageError(
            "no role is named that may sign with the new key, and AWS's default would be everyone "
            "whom an IAM policy of the account allows",
            remedy="name the role that gitca runs as: --sign-role arn:aws:iam::ACCOUNT:role/NAME",
        )
    both = sorted(set(options.signing_roles) & set(options.admin_roles))
    if both:
        raise UsageError(
            f"{both[0]} may both sign with the key and manage it; allowed is one of them",
            remedy="name another role for administration, or none (the account's IAM policies)",
        )
    account = _account(options)
    actions = _ADMINISTER + (_ADMINISTER_REGIONS if options.multi_region else ())
    return {
        "Version": "2012-10-17",
        "Id": "gitca",
        "Statement": [
            *_signing(spec, options.signing_roles),
            *_administration(options.admin_roles or (f"{account}:root",), actions),
            *([_recovery(account)] if options.admin_roles else []),
        ],
    }


def _account(options: KeyOptions) -> str:
    """Return the account that the key will be in, as the beginning of its principals' ARNs."""
    accounts = {}
    for principal in (*options.signing_roles, *options.admin_roles):
        match = _PRINCIPAL.fullmatch(principal)
        if match is None:
            raise UsageError(
                f"{principal[:100]!r} is not the ARN of a role or user; allowed is "
                "arn:aws:iam::ACCOUNT:role/NAME",
                remedy="of a session (assumed-role), name the role itself, with its path",
            )
        accounts[principal] = match["account"]
    owners = {accounts[principal] for principal in options.admin_roles or options.signing_roles}
    if len(owners) > 1:
        raise UsageError(
            f"the roles that could own the key are in {len(owners)} accounts; allowed is one",
            remedy="name one --admin-role, in the account that the key is to be in",
        )
    return owners.pop()


def _signing(spec: str, roles: Sequence[str]) -> list[Json]:
    conditions = {
        "kms:SigningAlgorithm": list(kms_algorithms(spec)),
        "kms:MessageType": list(message_types(spec)),
    }
    sign = _statement("GitcaSigns", roles, ("kms:Sign",))
    return [
        {**sign, "Condition": {"StringEquals": conditions}},
        _statement("GitcaReadsThePublicKey", roles, _READ),
    ]


def _administration(principals: Sequence[str], actions: Sequence[str]) -> list[Json]:
    window = {"kms:ScheduleKeyDeletionPendingWindowInDays": str(DELETION_WINDOW_DAYS)}
    deletion = _statement("DeletionTakesThirtyDays", principals, ("kms:ScheduleKeyDeletion",))
    return [
        _statement("AdministrationWithoutSigning", principals, sorted(actions)),
        {**deletion, "Condition": {"NumericEquals": window}},
    ]


def _recovery(account: str) -> Json:
    statement = _statement("RootUserMayRepairThisPolicy", (f"{account}:root",), _RECOVER)
    # aws:PrincipalType is Account for the root user itself: no IAM policy can hand this on.
    return {**statement, "Condition": {"StringEquals": {"aws:PrincipalType": "Account"}}}


def _statement(name: str, principals: Sequence[str], actions: Sequence[str]) -> dict[str, object]:
    return {
        "Sid": name,
        "Effect": "Allow",
        "Principal": {"AWS": list(principals)},
        "Action": list(actions),
        "Resource": "*",
    }
