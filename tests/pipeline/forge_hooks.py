"""The hooks of the forge's repository: branch rules, and a list of what was pushed."""

from __future__ import annotations

from collections.abc import Mapping

_HOOK = """\
#!/bin/sh
# Who pushes, and what the rules let them do, comes from the server: FORGE_*.
ref=$1 old=$2 new=$3 nothing=0000000000000000000000000000000000000000
refuse() { echo "forge: $ref: $1" >&2; exit 1; }
case $ref in refs/heads/*|refs/tags/*) ;; *) refuse "only branches and tags can be pushed";; esac
for name in $FORGE_PROTECTED; do
    [ "$ref" = "refs/heads/$name" ] || continue
    # Who may pass a rule set passes all of it ("About rulesets", bypass permissions).
    case " $FORGE_BYPASSES " in *" $name "*) continue ;; esac
    [ "$new" != $nothing ] || refuse "a protected branch cannot be deleted"
    [ "$old" = $nothing ] || [ "$(git merge-base "$old" "$new")" = "$old" ] ||
        refuse "a protected branch takes no forced push"
    refuse "changes must be made through a pull request"
done
if [ "$FORGE_WORKFLOWS" = 0 ] && [ "$new" != $nothing ]; then
    # To leave them out, as a branch of issued/ alone does, is neither.
    [ -z "$(git diff --name-only --diff-filter=d refs/heads/main "$new" -- .github/workflows)" ] ||
        refuse "this token may not create or update workflows"
fi
"""
_LOG = """\
#!/bin/sh
while read -r old new ref; do echo "$old $new $ref $FORGE_IDENTITY"; done > pushes/$$.new
mv pushes/$$.new pushes/$$
"""
HOOKS: Mapping[str, str] = {"update": _HOOK, "post-receive": _LOG}
