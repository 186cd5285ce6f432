"""Firewall rules that a killed engine leaves behind: which to delete, as text in, text out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_SHARED = frozenset({"CNI-FORWARD", "CNI-ADMIN"})  # chains that all CNI networks of a machine have in common


@dataclass
class _Table:
    """One table of iptables-save's text."""

    name: str
    chains: set[str] = field(default_factory=set)
    rules: list[str] = field(default_factory=list)


def leftovers(saved: str, network: str, prefix: str) -> str:
    """Edits that remove a container network's rules and no other.

    Args:
        saved: what iptables-save prints.
        network: the network's name.
        prefix: start of its addresses, such as `10.87.`.

    Returns:
        Input for `iptables-restore --noflush`; empty when there is nothing to remove. It deletes rules that name the
        network or its addresses, the `CNI-<hash>` chains these jump to, and CNI's two shared chains once nothing else
        is in them.
    """
    out: list[str] = []
    for table in _tables(saved):
        edits = _edits(table, network, prefix)
        if edits:
            out += [f"*{table.name}", *edits, "COMMIT"]
    return "".join(f"{line}\n" for line in out)


def forwards_for_others(saved: str, network: str, prefix: str) -> bool:
    """Whether rules of someone else rely on the machine forwarding packets.

    Args:
        saved: what iptables-save prints.
        network: our network's name.
        prefix: start of our network's addresses.

    Returns:
        True when a forwarding rule is left that is not ours, CNI's empty shared chains aside.
    """
    for table in _tables(saved):
        for rule in table.rules:
            chain = rule.split()[1]
            plumbing = rule.endswith(("-j CNI-FORWARD", "-j CNI-ADMIN"))
            forwards = table.name == "filter" and chain in {"FORWARD", *_SHARED} and not plumbing
            if forwards and not _ours(rule, network, prefix):
                return True
    return False


def _tables(saved: str) -> list[_Table]:
    tables: list[_Table] = []
    for line in saved.splitlines():
        if line.startswith("*"):
            tables.append(_Table(line[1:]))
        elif line.startswith(":CNI-"):
            tables[-1].chains.add(line[1:].split()[0])
        elif line.startswith("-A "):
            tables[-1].rules.append(line)
    return tables


def _ours(rule: str, network: str, prefix: str) -> bool:
    return f" {prefix}" in rule or re.search(rf'name: \\?"{re.escape(network)}\\?"', rule) is not None


def _edits(table: _Table, network: str, prefix: str) -> list[str]:
    ours = [rule for rule in table.rules if _ours(rule, network, prefix)]
    rest = [rule for rule in table.rules if rule not in ours]
    jumps = (re.search(r"-j (CNI-[0-9a-f]{24})\b", rule) for rule in ours)
    dead = {jump[1] for jump in jumps if jump} & table.chains
    drop = [rule for rule in ours if rule.split()[1] not in dead]
    if table.chains >= _SHARED and not any(_fills_shared(rule) for rule in rest):
        dead |= _SHARED
        drop = [rule for rule in drop if rule.split()[1] not in dead]
        drop += [rule for rule in rest if rule.endswith("-j CNI-FORWARD")]
    edits = [rule.replace("-A", "-D", 1) for rule in drop]
    return edits + [f"-F {chain}" for chain in sorted(dead)] + [f"-X {chain}" for chain in sorted(dead, reverse=True)]


def _fills_shared(rule: str) -> bool:
    return rule.split()[1] in _SHARED and not rule.endswith("-j CNI-ADMIN")
