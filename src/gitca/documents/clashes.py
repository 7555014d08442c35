"""Names that some file systems cannot tell apart, and which of them gives way: the newcomer.

In a clone on a file system that folds case, one of two such files stands where the other does, in
`requests/` and then in `issued/`. Whoever adds a document must not hold up anybody else's by it, so
what has certificates stays, and a revocation is never refused for how it is spelt.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from gitca.documents.fields import escaped
from gitca.documents.flaws import flaw
from gitca.documents.tree import TreeEntry
from gitca.findings import Finding, Location, Severity

RULE = "path.case"
_NEW, _STANDING, _CERTIFIED = range(3)
_SAID = {
    _NEW: "",
    _STANDING: ", and {other} was there before",
    _CERTIFIED: ", and {other} has certificates",
}


@dataclass(frozen=True, slots=True)
class Known:
    """The names of requests that were there before, as far as the reader of a tree knows.

    `certified` have certificates; `standing` lie in the tree that a change is upon.
    """

    certified: Collection[str] = frozenset()
    standing: Collection[str] = frozenset()

    def rank(self, name: str) -> int:
        """Return how well known a name is; what is known less gives way."""
        if name in self.certified:
            return _CERTIFIED
        return _STANDING if name in self.standing else _NEW


def clashing(names: Collection[str]) -> Mapping[str, Mapping[str, list[str]]]:
    """Return names by spelling (their own, or of a folder with its slash), by what those fold to.

    Only what has several spellings is there, folders before what lies in them.
    """
    spelt: dict[str, str] = {}
    folders: set[str] = set()
    several: set[str] = set()
    for name in names:
        if spelt.setdefault(name.lower(), name) != name:
            several.add(name.lower())
        folder = name[: name.rfind("/") + 1]
        if folder not in folders:
            folders.add(folder)
            several.update(
                p.lower() for p in _folders(folder) if spelt.setdefault(p.lower(), p) != p
            )
    groups: dict[str, dict[str, list[str]]] = {}
    for name in names if several else ():
        for part in (*_folders(name), name):
            if part.lower() in several:
                groups.setdefault(part.lower(), {}).setdefault(part, []).append(name)
    return dict(sorted(groups.items(), key=lambda group: len(group[0])))


def judge_spelling(
    documents: Mapping[str, TreeEntry],
    known: Known,
    *,
    read: Collection[str],
    is_revocation: Callable[[str], bool],
) -> tuple[Finding, ...]:
    """Return `path.case`: an error at each document that gives way, warnings where none must.

    Where nobody is known all give way, for nobody can tell who came first. `read` names the
    documents that were opened; `is_revocation` opens others where it has to.
    """
    groups = clashing(documents)
    found = {name for group in groups.values() for names in group.values() for name in names}
    revocations = {name for name in found if known.rank(name) != _CERTIFIED and is_revocation(name)}
    lost = list(_lost(_without(groups, revocations), known))
    refused = {item.name for item in lost if item.is_refused}
    told = [item for item in _lost(_without(groups, refused), known) if item.is_refused]
    new = [name for name in read if known.rank(name) != _CERTIFIED and name not in refused]
    gone = (item for item in _gone(documents, known, new) if not is_revocation(item.name))
    return (
        *(item.finding(documents) for item in (*lost, *gone)),
        *(
            item.warning(documents)
            for item in told
            if item.name in revocations and item.name in read
        ),
    )


@dataclass(frozen=True, slots=True)
class _Clash:
    """A document that has `seen` in its name, where another has `other`."""

    name: str
    seen: str
    other: str
    why: str = ""
    is_refused: bool = True

    def finding(self, documents: Mapping[str, TreeEntry]) -> Finding:
        """Return what is wrong; a warning where the document is not refused."""
        if not self.is_refused:
            return self._told(documents, "; both have certificates", "rename one of them")
        remedy = f"spell it {self.other}, or choose another name" if self.why else "rename one"
        remedy += ": many file systems hold one of them alone"
        return flaw(RULE, self._message(self.why), self._at(documents), remedy)

    def warning(self, documents: Mapping[str, TreeEntry]) -> Finding:
        """Return the warning at a revocation, which is executed all the same."""
        return self._told(documents, "; the revocation is executed all the same", "rename it")

    def _told(self, documents: Mapping[str, TreeEntry], why: str, remedy: str) -> Finding:
        remedy += ": many file systems hold one of them alone"
        at = self._at(documents)
        return Finding(RULE, Severity.WARNING, self._message(why), at, remedy)

    def _message(self, why: str) -> str:
        return f"{self.seen} and {self.other} differ in upper and lower case alone{why}"

    def _at(self, documents: Mapping[str, TreeEntry]) -> Location:
        return Location(escaped(documents[self.name].path))


def _folders(name: str) -> Iterator[str]:
    """Yield the folders above a name, each with its slash: none is taken for a document."""
    slash = name.find("/")
    while slash >= 0:
        yield name[: slash + 1]
        slash = name.find("/", slash + 1)


_Groups = Mapping[str, Mapping[str, list[str]]]


def _without(groups: _Groups, names: Collection[str]) -> _Groups:
    return {
        key: {spelling: [n for n in group if n not in names] for spelling, group in each.items()}
        for key, each in groups.items()
    }


def _lost(groups: _Groups, known: Known) -> Iterator[_Clash]:
    """Yield each document that gives way, once; of spellings that all stay, the first document."""
    lost: set[str] = set()
    for each in groups.values():
        left = {spelling: [n for n in names if n not in lost] for spelling, names in each.items()}
        ranks = {s: max(map(known.rank, names)) for s, names in left.items() if names}
        if len(ranks) < 2:
            continue
        top = max(ranks.values())
        best = [spelling for spelling, rank in ranks.items() if rank == top]
        stay = best if top == _CERTIFIED or len(best) == 1 else []
        for spelling in [spelling for spelling in ranks if spelling not in stay]:
            other = next(s for s in (stay or ranks) if s != spelling)
            why = _SAID[top].format(other=other) if stay else ""
            lost.update(left[spelling])
            yield from (_Clash(name, spelling, other, why) for name in left[spelling])
        for spelling in stay[1:]:
            yield _Clash(left[spelling][0], spelling, stay[0], is_refused=False)


def _gone(documents: Collection[str], known: Known, new: Iterable[str]) -> Iterator[_Clash]:
    """Yield the new documents whose certificate would lie where that of a deleted one does."""
    new = list(new)
    before = {n.lower(): n for n in known.certified if n not in documents} if new else {}
    for name in new:
        other = before.get(name.lower())
        if other is not None:
            why = f", and issued/ has the certificate of {other}, which was deleted since"
            yield _Clash(name, name, other, why)
