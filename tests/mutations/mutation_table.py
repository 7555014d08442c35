"""The recipe broken on purpose: each mutation, what it changes, and the tests that must notice.

A change is a file below src/gitca, text that stands in it once, and what comes in its place. A text
that is not there any more is an error: the table follows the code.
"""

from __future__ import annotations

from dataclasses import dataclass

RECIPE, FULFIL, RESUME = "reconcile/recipe.py", "reconcile/fulfil.py", "reconcile/resume.py"
BUILDER = "reconcile/certificates.py"
CRLS, STORE = "reconcile/crls.py", "git/store.py"
FULFILMENT = "git/fulfilment.py"
STEPS = "tests/faults/test_faults_steps.py"
RACES = "tests/reconcile/test_reconcile_races.py"
SIGNATURES = "tests/verify/test_verify_forged_signatures.py"
LEFTOVERS = "tests/reconcile/test_reconcile_leftovers.py"


@dataclass(frozen=True)
class Mutation:
    """One way to break gitca, and the tests of which at least one fails then."""

    name: str
    changes: tuple[tuple[str, str, str], ...]
    tests: tuple[str, ...]
    is_of_the_issue: bool = False


MUTATIONS = (
    Mutation(
        "sign before record",
        (
            (
                RECIPE,
                "            snapshot, orders = self.store.record(",
                "            for draft in built.batch.drafts:\n"
                "                ca = desired.governing.authorities[draft.ordered.ca]\n"
                "                signer = self.keys.signer(ca)\n"
                "                if signer is not None:\n"
                "                    signer.sign(draft.tbs, draft.ordered.signature_algorithm)\n"
                "            snapshot, orders = self.store.record(",
            ),
        ),
        (f"{RACES}::test_a_branch_that_never_stands_still_is_given_up_with_nothing_signed",),
        is_of_the_issue=True,
    ),
    Mutation(
        "skip the compare-and-swap",
        (("git/remote.py", '"--no-force"', '"--force"'),),
        (
            f"{RACES}::test_a_push_between_load_and_record_has_everything_planned_anew",
            f"{RACES}::test_a_push_while_signatures_are_made_has_them_committed_on_top_of_it",
        ),
        is_of_the_issue=True,
    ),
    Mutation(
        "draw a new serial number on resume",
        (
            (
                RESUME,
                "return self._missing(ordered) or order",
                'return self._missing(ordered) or Abandoned(ordered.order, "made anew")',
            ),
        ),
        (f"{LEFTOVERS}::test_take_over_waits_for_no_lease",),
        is_of_the_issue=True,
    ),
    Mutation(
        "drop the check of what was signed",
        (
            (
                FULFIL,
                "    if tbs_of(der) != order.tbs or not verify_signature(der, spki_der):",
                "    if len(der) < len(spki_der):",
            ),
        ),
        (
            "tests/reconcile/test_reconcile_signers.py::test_signatures_of_another_key_are_thrown_away",
        ),
        is_of_the_issue=True,
    ),
    Mutation(
        "sign a resumed order without rebuilding its bytes",
        (
            (
                RESUME,
                "        if rebuild.bytes_of(ordered, spki_der) != order.tbs:",
                "        if not order.tbs:",
            ),
        ),
        ("tests/reconcile/test_reconcile_forged_orders.py",),
    ),
    Mutation(
        "sign resumed orders that nobody wants any more",
        ((RESUME, "            objection = wanted.objection(ordered)", "            pass"),),
        (LEFTOVERS,),
    ),
    Mutation(
        "record no use of a key whose answer was lost",
        ((FULFILMENT, "        events += fulfilment.lost\n", ""),),
        (f"{STEPS} -k forget or repeat",),
    ),
    Mutation(
        "record no second signature of an order",
        (
            (
                FULFILMENT,
                "            events.append(replace(fulfilment.signed, spent=True))",
                "            pass",
            ),
        ),
        (f"{LEFTOVERS} -k spent",),
    ),
    Mutation(
        "take orders whose lease is not over",
        (
            (
                RESUME,
                "ordered.lease > terms.now and not terms.take_over",
                "ordered.lease < ordered.lease",
            ),
        ),
        (f"{LEFTOVERS}::test_orders_of_another_run_are_left_until_their_lease_is_over",),
    ),
    Mutation(
        "do not look whether the ledger has lost a segment",
        ((STORE, "        self._guard.check(snapshot, dict(self._folded))\n", ""),),
        ("tests/reconcile/test_reconcile_history.py",),
    ),
    Mutation(
        "take every certificate for signed by its CA",
        (
            (
                "git/signatures.py",
                "in _last_signed(state, since, newest):",
                "in _last_signed(state, since, newest)[:0]:",
            ),
        ),
        (f"{SIGNATURES} -k alone and standing",),
    ),
    Mutation(
        "take every CRL for signed by its CA",
        (
            (
                "git/guard.py",
                "        check_current_crl(repository, tip, snapshot.state, record, data)\n",
                "",
            ),
        ),
        (f"{SIGNATURES} -k alone and another",),
    ),
    Mutation(
        "go on from what was ordered on refused keys or by revoked CAs",
        (("git/guard.py", "        check_refusals(repository, tip, snapshot.state)\n", ""),),
        ("tests/verify/test_verify_refused_keys.py -k request",),
    ),
    Mutation(
        "let a revoked CA order",
        (("ledger/refused.py", "revoked[0] < record.segment", "revoked[0] < 0"),),
        ("tests/ledger/test_ledger_revoked_issuers.py",),
    ),
    Mutation(
        "keep the number of the last CRL",
        ((CRLS, "record.last_crl_number + 1,", "max(record.last_crl_number, 1),"),),
        ("tests/reconcile/test_reconcile_loop.py",),
    ),
    Mutation(
        "leave the first revocation out of the next CRL",
        (
            (
                CRLS,
                "carried = tuple(record.carried.values())",
                "carried = tuple(record.carried.values())[1:]",
            ),
        ),
        ("tests/reconcile/test_reconcile_loop.py",),
    ),
    Mutation(
        "record what the linter refuses",
        (("reconcile/linting.py", "        if not has_errors(about):", "        if item.der:"),),
        ("tests/plan/test_plan_lint.py", "tests/reconcile/test_reconcile_policy_bypasses.py"),
    ),
    Mutation(
        "a builder that forgets key usages, and nobody compares it with the template",
        (
            (BUILDER, "        if reread != template:", "        if not serial:"),
            (BUILDER, "import dataclass, field\n", "import dataclass, field, replace\n"),
            (
                BUILDER,
                "                template, issuer, serial=serial,",
                "                replace(template, key_usage=()), issuer, serial=serial,",
            ),
        ),
        ("tests/reconcile/test_reconcile_loop.py",),
    ),
    Mutation(
        "a serial number that was used is drawn again",
        (
            (
                BUILDER,
                "            if drawn not in self.state.serials and drawn not in self._drawn:",
                "            if serial:",
            ),
        ),
        ("tests/reconcile/test_reconcile_loop.py -k repeats",),
    ),
)
