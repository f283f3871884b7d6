"""Writes seccomp.json: what Docker allows a container without capabilities, and four calls more.

    python -m grader.images.make_seccomp DEFAULT.json > grader/images/seccomp.json

DEFAULT.json is the profile that Docker ships (github.com/moby/profiles, seccomp/default.json). It has
rules that depend on capabilities. The wall's container has none, so those that ask for one are left out
and those that are for a container without it are kept; the result means the same and can be read.
"""

import json
import sys
from pathlib import Path
from typing import Any

ALLOW = "SCMP_ACT_ALLOW"
ADDED = ("mount", "pivot_root", "umount2", "unshare")  # what building a jail needs
ARCHITECTURES = {  # those that grader.inside.seccomp has a table for, as libseccomp and Go name them
    "SCMP_ARCH_X86_64": {"amd64", "x32", "x86"},
    "SCMP_ARCH_AARCH64": {"arm64", "arm"},
}


def applies(rule: dict[str, Any]) -> bool:
    """Whether a rule holds for a container without capabilities on one of our architectures."""
    ours = set().union(*ARCHITECTURES.values())
    wanted, unwanted = rule.get("includes", {}), rule.get("excludes", {})
    if wanted.get("caps") or ours <= set(unwanted.get("arches", ())):
        return False
    return not wanted.get("arches") or bool(ours & set(wanted["arches"]))


def without_capabilities(rule: dict[str, Any]) -> dict[str, Any]:
    """The rule without what `applies` has decided already; a kernel before 4.8 runs no wall anyway."""
    kept = {key: rule[key] for key in ("names", "action", "errnoRet", "args") if rule.get(key)}
    if arches := rule.get("includes", {}).get("arches"):
        kept["includes"] = {"arches": arches}
    return kept


def profile(default: dict[str, Any]) -> dict[str, Any]:
    """Docker's profile for a container without capabilities, and the calls that build a jail."""
    rules = [without_capabilities(rule) for rule in default["syscalls"] if applies(rule)]
    rules.append({"names": list(ADDED), "action": ALLOW})
    return {
        "defaultAction": default["defaultAction"],
        "defaultErrnoRet": default.get("defaultErrnoRet", 1),
        "archMap": [arch for arch in default["archMap"] if arch["architecture"] in ARCHITECTURES],
        "syscalls": rules,
    }


def text(profile: dict[str, Any]) -> str:
    """JSON with a rule's names filled into lines."""
    made = json.dumps({**profile, "syscalls": []}, indent=1).rstrip("}\n ")
    rules = ",\n".join("  " + json.dumps(rule) for rule in profile["syscalls"])
    return made.removesuffix("[]").rstrip() + " [\n" + rules + "\n ]\n}\n"


if __name__ == "__main__":
    sys.stdout.write(text(profile(json.loads(Path(sys.argv[1]).read_text()))))
