"""What a plan says of a request whose certificate says something else."""

from x509_material import COMMON_NAME, leaf_template, spki

from gitca.x509.differences import differences
from gitca.x509.template import GeneralName, NameAttribute, PolicyInformation, spki_identifier

A = GeneralName("dns", "a.example.internal")
B = GeneralName("dns", "b.example.internal")


def test_the_same_template_has_no_differences():
    assert differences(leaf_template(), leaf_template()) == ()


def test_names_are_added_and_removed_in_words():
    before, after = leaf_template(sans=(A,)), leaf_template(sans=(B,))
    assert differences(before, after) == (
        "names: + dns:b.example.internal, - dns:a.example.internal",
    )


def test_the_order_of_names_and_usages_says_nothing():
    usages = ("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2")
    before = leaf_template(sans=(A, B), extended_key_usage=usages)
    after = leaf_template(sans=(B, A), extended_key_usage=usages[::-1])
    assert differences(before, after) == ()


def test_the_order_of_the_subject_does():
    o, cn = NameAttribute("2.5.4.10", "Example"), NameAttribute(COMMON_NAME, "a")
    assert differences(leaf_template(subject=(o, cn)), leaf_template(subject=(cn, o))) == (
        "subject: organization=Example, commonName=a -> commonName=a, organization=Example",
    )
    assert differences(leaf_template(subject=(cn,)), leaf_template(subject=())) == (
        "subject: commonName=a -> (empty)",
    )


def test_a_name_given_twice_is_a_difference():
    assert differences(leaf_template(sans=(A, A)), leaf_template(sans=(A,))) == (
        "names: - dns:a.example.internal",
    )


def test_another_key_is_named_by_its_identifiers():
    after = leaf_template(spki_der=spki("P-256", 3))
    assert differences(leaf_template(), after) == (
        f"key: {spki_identifier(spki('P-256', 2))} -> {spki_identifier(spki('P-256', 3))}",
    )


def test_usages_are_added_and_removed_in_words():
    after = leaf_template(key_usage=("digitalSignature", "keyAgreement"), extended_key_usage=())
    assert differences(leaf_template(), after) == (
        "key usage: + keyAgreement",
        "extended key usage: - 1.3.6.1.5.5.7.3.1",
    )


def test_what_the_issuer_adds_is_not_compared():
    after = leaf_template(
        crl_urls=(), ca_issuers_urls=(), certificate_policies=(PolicyInformation("1.2.3"),)
    )
    assert differences(leaf_template(), after) == ()
