"""Lint many certificates: in this process when they are few, on every core when they are many."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from gitca.x509.lint import LintResult, lint_certificate

# Starting workers costs some 0.6 s, as much as linting 400 certificates here.
MANY = 200
CHUNK = 50


def lint_certificates(ders: Sequence[bytes]) -> list[tuple[LintResult, ...]]:
    """Return the lint results of each certificate (DER), in order."""
    workers = os.cpu_count() or 1
    if len(ders) < MANY or workers == 1:
        return [lint_certificate(der) for der in ders]
    # Not fork: this process may have threads. The server imports the linter once for all workers.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["gitca.x509.lint"])
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        return list(pool.map(lint_certificate, ders, chunksize=CHUNK))
