"""A .gitlab-ci.yml, read as GitLab reads it; what is not known here is refused.

GitLab Docs, "CI/CD YAML syntax reference" and "CI/CD job rules".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from pipeline.expressions import UnknownSyntaxError

Variables = Mapping[str, str]
_GLOBAL = {"stages", "default"}
_JOB = {
    *("extends", "stage", "timeout", "interruptible", "variables", "rules", "script", "artifacts"),
    *("before_script", "needs", "resource_group", "environment", "id_tokens"),
}
_RULE = {"if", "changes", "when"}
_TOKEN = re.compile(r"\s*(?:\$(?P<variable>\w+)|\"(?P<text>[^\"]*)\"|(?P<sign>==|!=|&&|\|\||[()]))")


class _Loader(yaml.BaseLoader):
    """Scalars stay text; `!reference [job, key]` becomes a tuple."""


_Loader.add_constructor("!reference", lambda loader, node: tuple(loader.construct_sequence(node)))


def jobs_of(text: str) -> dict[str, dict[str, Any]]:
    """Return the jobs of a pipeline's file, with what they extend and refer to."""
    content = yaml.load(text, Loader=_Loader)  # noqa: S506  (text alone, no objects)
    written = {name: job for name, job in content.items() if name not in _GLOBAL}
    for name, job in written.items():
        if unknown := set(job) - _JOB:
            raise UnknownSyntaxError(f"{name}: {sorted(unknown)}")
    merged = {name: _extended(written, name) for name in written}
    for job in merged.values():
        for key in ("before_script", "script"):
            job[key] = list(_lines(merged, job.get(key, [])))
    return {name: job for name, job in merged.items() if not name.startswith(".")}


def _extended(jobs: Mapping[str, Any], name: str) -> dict[str, Any]:
    job = jobs[name]
    base = _extended(jobs, job["extends"]) if "extends" in job else {}
    both = base.get("variables", {}) | job.get("variables", {})
    return {**base, **job, "variables": both}


def _lines(jobs: Mapping[str, Any], lines: list[Any]) -> Iterator[str]:
    for line in lines:
        if isinstance(line, tuple):
            job, key = line
            yield from _lines(jobs, jobs[job][key])
        else:
            yield line


def runs(job: Mapping[str, Any], variables: Variables, changed: tuple[str, ...]) -> bool:
    """Say whether a job is part of a pipeline: the first rule that fits decides."""
    for rule in job["rules"]:
        if unknown := set(rule) - _RULE:
            raise UnknownSyntaxError(f"rules: {sorted(unknown)}")
        fits = "if" not in rule or _Condition(rule["if"], variables).value()
        if fits and "changes" in rule:
            fits = any(_matches(path, glob) for path in changed for glob in rule["changes"])
        if fits:
            return bool(rule.get("when") != "never")
    return False


def _matches(path: str, pattern: str) -> bool:
    parts = re.split(r"(\*\*/|\*)", pattern)
    special = {"**/": "(?:.*/)?", "*": "[^/]*"}
    return (
        re.fullmatch("".join(special.get(each, re.escape(each)) for each in parts), path)
        is not None
    )


class _Condition:
    """An expression of `rules:if`."""

    def __init__(self, text: str, variables: Variables) -> None:
        self.variables, self.text = variables, text
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text.rstrip()):
            token = _TOKEN.match(text, at)
            if token is None:
                raise UnknownSyntaxError(f"{text!r} at {text[at:]!r}")
            self.tokens.append((token.lastgroup or "", token[token.lastgroup or 0]))
            at = token.end()

    def value(self) -> bool:
        found = self._either()
        if self.tokens:
            raise UnknownSyntaxError(f"{self.text!r}: {self.tokens}")
        return found

    def _either(self) -> bool:
        found = self._both()
        while self._take("||"):
            found = self._both() or found
        return found

    def _both(self) -> bool:
        found = self._compared()
        while self._take("&&"):
            found = self._compared() and found
        return found

    def _compared(self) -> bool:
        if self._take("("):
            found = self._either()
            if not self._take(")"):
                raise UnknownSyntaxError(f"{self.text!r} lacks )")
            return found
        left = self._operand()
        for sign in ("==", "!="):
            if self._take(sign):
                return (left == self._operand()) == (sign == "==")
        return bool(left)

    def _operand(self) -> str | None:
        kind, word = self.tokens.pop(0) if self.tokens else ("", "")
        if kind not in ("variable", "text"):
            raise UnknownSyntaxError(f"{self.text!r} at {word!r}")
        return self.variables.get(word) if kind == "variable" else word

    def _take(self, sign: str) -> bool:
        found = self.tokens[:1] == [("sign", sign)]
        self.tokens = self.tokens[1:] if found else self.tokens
        return found
