"""What the identity templates of allow patterns stand for: texts of the request that is judged.

A label is what the request's own author wrote. It proves nothing by itself: a policy that goes by
it needs a selector, or code owners, that say who may write which label.
"""

from __future__ import annotations

import functools

from gitca.documents.certificate_request import CertificateRequestSpec
from gitca.documents.document import Document
from gitca.documents.identity_templates import templates_in
from gitca.policy.pattern_lists import PatternList, pattern_list
from gitca.policy.patterns import PatternKind

Request = Document[CertificateRequestSpec]


def allow_list(kind: PatternKind, texts: tuple[str, ...], request: Request) -> PatternList:
    """Return an allow-list in which the templates stand for what they are in the request.

    It is compiled once for each distinct set of values and kept, the latest of them.
    """
    values = tuple((template, value_of(template, request)) for template in _templates(texts))
    return pattern_list(kind, texts, values)


def value_of(template: str, request: Request) -> str | None:
    """Return what a template, without its braces, stands for; None where the request has none."""
    if template == "request.name":
        return request.name
    if template.startswith("labels."):
        return request.metadata.labels.get(template.removeprefix("labels.")) or None
    segments = request.name.split("/")
    index = int(template.removeprefix("path[").removesuffix("]"))
    return segments[index] if -len(segments) <= index < len(segments) else None


@functools.lru_cache(maxsize=1024)
def _templates(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(template for text in texts for template in templates_in(text)))
