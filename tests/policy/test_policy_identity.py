"""Identity templates: each value matches itself alone, whatever somebody writes into it."""

from __future__ import annotations

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from policy_material import POLICY, UPN, case, changed, judge, request_text, rules, texts

from gitca.documents.identity_templates import has_other_braces, templates_in
from gitca.policy.identity import value_of
from gitca.policy.pattern_lists import pattern_list
from gitca.policy.patterns import PatternError, PatternKind, compile_pattern

_SANS = POLICY[POLICY.index("  sans:\n") : POLICY.index("  key:")]


def policy_with(sans: str, subject: str = "") -> str:
    """The policy with other rules for names, and for organizationalUnit."""
    changes = [(_SANS, f"  sans:\n    {sans}\n")]
    if subject:
        changes.append(('{allow: ["Team *"]}', subject))
    return changed(POLICY, *changes)


def labelled(value: str, line: str, key: str = "team") -> str:
    """A request with a label and one line of its spec."""
    text = request_text(line)
    return text.replace("spec:\n", f"metadata: {{labels: {{{key}: {value}}}}}\nspec:\n")


_DNS = "sans: {dns: [api.example.internal]}"
# What a policy allows by a template, what a team called `web` may state, and another's.
KINDS: dict[str, tuple[str, str, str]] = {
    "dns": (
        policy_with('dns: {allow: ["{labels.team}.example.internal"]}'),
        "sans: {dns: [web.example.internal]}",
        "sans: {dns: [pay.example.internal]}",
    ),
    "dns part of a label": (
        policy_with('dns: {allow: ["*.x-{labels.team}-y.example.internal"]}'),
        "sans: {dns: [a.x-web-y.example.internal]}",
        "sans: {dns: [a.x-pay-y.example.internal]}",
    ),
    "dns wildcards": (
        policy_with('dns: {allow: ["**"], wildcards: ["*.{labels.team}.example.internal"]}'),
        "sans: {dns: ['*.web.example.internal']}",
        "sans: {dns: ['*.pay.example.internal']}",
    ),
    "dns bare domain": (
        policy_with('dns: {allow: ["**.{labels.team}.example.internal"], special: [bareDomain]}'),
        "sans: {dns: [web.example.internal]}",
        "sans: {dns: [pay.example.internal]}",
    ),
    "uri": (
        policy_with('uri: {allow: ["spiffe://example.internal/{labels.team}/*"]}'),
        "sans: {uri: ['spiffe://example.internal/web/api']}",
        "sans: {uri: ['spiffe://example.internal/pay/api']}",
    ),
    "uri host": (
        policy_with('uri: {allow: ["https://{labels.team}.example.internal/*"]}'),
        "sans: {uri: ['https://web.example.internal/api']}",
        "sans: {uri: ['https://pay.example.internal/api']}",
    ),
    "spiffe": (
        policy_with(
            'uri: {spiffe: {trustDomain: example.internal, paths: ["ns/{labels.team}/sa/*"]}}'
        ),
        "sans: {uri: ['spiffe://example.internal/ns/web/sa/api']}",
        "sans: {uri: ['spiffe://example.internal/ns/pay/sa/api']}",
    ),
    "email": (
        policy_with('email: {allow: ["{labels.team}@example.internal"]}'),
        "sans: {email: [web@example.internal]}",
        "sans: {email: [pay@example.internal]}",
    ),
    "email domain": (
        policy_with('email: {allow: ["*@{labels.team}.example.internal"]}'),
        "sans: {email: [jo@web.example.internal]}",
        "sans: {email: [jo@pay.example.internal]}",
    ),
    "other name": (
        policy_with(f'otherName: {{{UPN}: {{allow: ["{{labels.team}}@example.internal"]}}}}'),
        f"sans: {{otherName: [{{oid: {UPN}, utf8: web@example.internal}}]}}",
        f"sans: {{otherName: [{{oid: {UPN}, utf8: pay@example.internal}}]}}",
    ),
    "other name of another type": (
        policy_with('otherName: {1.2.3.4: {allow: ["{labels.team}"]}}'),
        "sans: {otherName: [{oid: 1.2.3.4, utf8: web}]}",
        "sans: {otherName: [{oid: 1.2.3.4, utf8: pay}]}",
    ),
    "directory name": (
        policy_with('directoryName: {allow: [{organizationalUnit: "{labels.team}"}]}'),
        "sans: {directoryName: [{organizationalUnit: web}]}",
        "sans: {directoryName: [{organizationalUnit: pay}]}",
    ),
    "subject": (
        policy_with('dns: {allow: ["**"]}', '{allow: ["Team {labels.team}"]}'),
        f"subject: {{organizationalUnit: Team web}}\n  {_DNS}",
        f"subject: {{organizationalUnit: Team pay}}\n  {_DNS}",
    ),
}
HOSTILE = ["'*'", "'**'", "we.b", "w/b", "../web", "'%77eb'", "wéb", "'{labels.team}'", "''", "w b"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_allows_the_value_of_the_request_and_no_other(kind: str) -> None:
    policy, own, foreign = KINDS[kind]
    assert texts(judge(labelled("web", own), policy=policy).findings) == []
    assert judge(labelled("web", foreign), policy=policy).is_denied
    assert judge(labelled("pay", own), policy=policy).is_denied


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_that_is_a_pattern_or_a_path_gains_nothing(kind: str, value: str) -> None:
    policy, own, foreign = KINDS[kind]
    assert judge(labelled(value, own), policy=policy).is_denied
    assert judge(labelled(value, foreign), policy=policy).is_denied


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_that_the_request_does_not_have_matches_nothing(kind: str) -> None:
    policy, own, _ = KINDS[kind]
    assert judge(request_text(own), policy=policy).is_denied
    assert judge(labelled("web", own, key="other"), policy=policy).is_denied


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("a.b", "a.b.example.internal"),
        ("'*'", "*.example.internal"),
        ("'*.x'", "*.x.example.internal"),
        ("-", "-.example.internal"),
    ],
)
def test_a_label_of_several_labels_is_no_label_of_a_name(value: str, name: str) -> None:
    policy = policy_with('dns: {allow: ["{labels.team}.example.internal"], wildcards: true}')
    assert judge(labelled(value, f"sans: {{dns: ['{name}']}}"), policy=policy).is_denied


def test_a_template_stands_for_one_address_and_never_for_a_network() -> None:
    policy = policy_with('ip: {allow: ["{labels.address}"]}')
    line = "sans: {ip: [10.1.2.3]}"
    assert texts(judge(labelled("10.1.2.3", line, "address"), policy=policy).findings) == []
    for value in ("10.1.2.4", "0.0.0.0/0", "10.0.0.0/8", "'*'", "''", "10.1.2.3/32", "10.1.2"):
        assert judge(labelled(value, line, "address"), policy=policy).is_denied


def test_a_template_stands_for_one_number_of_an_object_identifier() -> None:
    policy = policy_with('registeredID: {allow: ["1.2.{labels.site}.4"]}')
    line = "sans: {registeredID: [1.2.3.4]}"
    assert texts(judge(labelled("'3'", line, "site"), policy=policy).findings) == []
    for value in ("'4'", "'*'", "'3.4'", "'0x3'", "٣"):
        assert judge(labelled(value, line, "site"), policy=policy).is_denied
    longer = "sans: {registeredID: [1.2.3.3.4]}"
    assert judge(labelled("'3.3'", longer, "site"), policy=policy).is_denied


def test_the_name_of_a_request_is_a_path_in_a_uri_and_a_label_elsewhere() -> None:
    policy = policy_with(
        'uri: {spiffe: {trustDomain: example.internal, paths: ["ns/{request.name}"]}}'
    )
    own = request_text("sans: {uri: ['spiffe://example.internal/ns/payments/api']}")
    assert texts(judge(own, policy=policy).findings) == []
    assert rules(judge(own, policy=policy, path="requests/payments/web.yaml")) == [
        "sans.uri.spiffe.paths"
    ]
    dns = policy_with('dns: {allow: ["{request.name}.example.internal"]}')
    text = request_text("sans: {dns: [api.example.internal]}")
    assert rules(judge(text, policy=dns)) == ["sans.dns.allow"]


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("request.name", "payments/eu/api"),
        ("path[0]", "payments"),
        ("path[1]", "eu"),
        ("path[-1]", "api"),
        ("path[-3]", "payments"),
        ("path[3]", None),
        ("path[-4]", None),
        ("labels.team", "web"),
        ("labels.example.com/team", None),
        ("labels.empty", None),
    ],
)
def test_a_template_stands_for_its_part_of_the_request(template: str, value: str | None) -> None:
    text = request_text(_DNS).replace(
        "spec:\n", "metadata: {labels: {team: web, empty: ''}}\nspec:\n"
    )
    request = case(text, path="requests/payments/eu/api.yaml").request
    assert value_of(template, request) == value


def test_a_path_of_a_request_is_matched_part_by_part() -> None:
    policy = policy_with('dns: {allow: ["{path[-1]}.{path[0]}.example.internal"]}')
    text = request_text("sans: {dns: [api.payments.example.internal]}")
    assert texts(judge(text, policy=policy).findings) == []
    assert judge(text, policy=policy, path="requests/payments/web.yaml").is_denied


@pytest.mark.parametrize(
    ("text", "templates", "is_wrong"),
    [
        ("{path[0]}.x", ("path[0]",), False),
        ("{path[-1]}{labels.a.b/c-d}", ("path[-1]", "labels.a.b/c-d"), False),
        ("{request.name}", ("request.name",), False),
        ("{path[-0]}", (), True),
        ("{path[01]}", (), True),
        ("{path[100]}", (), True),
        ("{path}", (), True),
        ("{request.labels}", (), True),
        ("{labels.}", (), True),
        ("{{path[0]}}", ("path[0]",), True),
        ("{", (), True),
        ("a}", (), True),
        ("{PATH[0]}", (), True),
    ],
)
def test_braces_are_those_of_known_templates(
    text: str, templates: tuple[str, ...], is_wrong: bool
) -> None:
    assert templates_in(text) == templates
    assert has_other_braces(text) is is_wrong


FRAMES: list[tuple[PatternKind, str, str]] = [
    ("dns", "", ".example.internal"),
    ("dns", "a-", "-b.example.internal"),
    ("email", "", "@example.internal"),
    ("email", "jo@", ".example.internal"),
    ("uri", "spiffe://example.internal/", "/api"),
    ("uri", "https://", ".example.internal/"),
    ("uri", "urn:x:", ""),
    ("value", "", ".example.internal"),
    ("value", "Team ", ""),
    ("oid", "1.2.", ".4"),
]
VALUES = st.text(string.ascii_letters + string.digits + "*.-_/@:%?#{}[] é\0\n", max_size=8)
TEXTS = st.text(string.ascii_letters + "019*.-_/@:%?#{}", max_size=12)


@given(frame=st.sampled_from(FRAMES), value=VALUES, other=TEXTS)
@example(frame=FRAMES[0], value="*", other="x")
@example(frame=FRAMES[0], value="a.b", other="a.b")
@example(frame=FRAMES[4], value="..", other="..")
@example(frame=FRAMES[4], value="", other="")
@example(frame=FRAMES[9], value="3.3", other="3.3")
def test_whatever_a_value_is_it_matches_itself_alone_and_nothing_that_a_star_would_not(
    frame: tuple[PatternKind, str, str], value: str, other: str
) -> None:
    kind, before, after = frame
    template = compile_pattern(kind, f"{before}{{labels.x}}{after}", (("labels.x", value),))
    star = compile_pattern(kind, f"{before}*{after}")
    own = f"{before}{value}{after}"
    for candidate in (own, own.lower(), f"{before}{other}{after}", other, value):
        if template.admits(candidate):
            # Hosts are compared in lower case; everything else to the letter.
            assert candidate in {own, own.lower()}
            assert star.admits(candidate)
    # A whole-label star stands for the star of a wildcard name, and a template never does.
    fits = bool(value) and "*" not in value
    assert template.admits(own) == (fits and star.admits(own))


@given(value=VALUES | st.none())
def test_a_deny_list_and_a_list_without_a_value_admit_nothing(value: str | None) -> None:
    for kind, before, after in FRAMES:
        pattern = compile_pattern(kind, f"{before}{{labels.x}}{after}", (("labels.y", value),))
        assert not pattern.admits(f"{before}{value}{after}")


@pytest.mark.parametrize("text", ["10.{labels.x}.0.0/16", "{labels.x}/8", "{labels.x}{labels.y}"])
def test_a_template_beside_other_text_is_no_address(text: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern("ip", text, (("labels.x", "0"), ("labels.y", "0")))


def test_what_is_compiled_for_each_value_is_kept_within_bounds() -> None:
    for cache in (compile_pattern, pattern_list):
        assert cache.cache_parameters()["maxsize"] <= 8192
    texts_ = ("{labels.x}.example.internal", "www.example.internal")
    one = pattern_list("dns", texts_, (("labels.x", "a"),))
    assert pattern_list("dns", texts_, (("labels.x", "a"),)) is one
    other = pattern_list("dns", texts_, (("labels.x", "b"),))
    assert other.entries[1][1] is one.entries[1][1]
    assert (other.admits("b.example.internal"), other.admits("a.example.internal")) == (True, False)
