"""Answers about a running stack, for people."""

from __future__ import annotations

from typing import Any

from pipeline.catalogue.plan import Plan
from pipeline.report.table import table


def smoke_table(answer: dict[str, Any]) -> str:
    """What was tried, and how it went.

    Args:
        answer: `{"ok", "checks": [{"service", "check", "ok", "ms", "message"}]}`.

    Returns:
        A line a check, and the sum.
    """
    checks = answer["checks"]
    rows = [
        (c["service"], c["check"], "ok" if c["ok"] else "FAILED", f"{c['ms']:.0f}", c.get("message", ""))
        for c in checks
    ]
    good = sum(bool(check["ok"]) for check in checks)
    return "\n".join(
        [
            table(("SERVICE", "CHECK", "RESULT", "MS", "MESSAGE"), rows, right=(3,)),
            f"{good} of {len(checks)} checks passed",
        ]
    )


def health_table(answer: dict[str, Any]) -> str:
    """Which services are healthy.

    Args:
        answer: `{"overall_healthy", "services": {name: {"healthy", "message", "ms"}}, "timestamp"}`.

    Returns:
        A line a service, and the verdict.
    """
    rows = [
        (name, "healthy" if state["healthy"] else "UNHEALTHY", f"{state['ms']:.0f}", state.get("message", ""))
        for name, state in sorted(answer["services"].items())
    ]
    verdict = "all healthy" if answer["overall_healthy"] else "not all healthy"
    return "\n".join([table(("SERVICE", "HEALTH", "MS", "MESSAGE"), rows, right=(2,)), verdict])


def ps_rows(plan: Plan, health: dict[str, Any]) -> list[dict[str, Any]]:
    """State of each service of a plan.

    Args:
        plan: The plan that runs.
        health: The answer of a health probe.

    Returns:
        A mapping a service, in the order of start.
    """
    entries = {entry.service.codename: entry.service for entry in plan.entries}
    rows = []
    for name in (name for layer in plan.start_order for name in layer):
        service, state = entries[name], health["services"].get(name, {})
        rows.append(
            {
                "service": name,
                "role": service.role,
                "state": "healthy" if state.get("healthy") else "unhealthy" if state else "running",
                "image": service.image,
                "ports": [f"{port.port}/{port.transport}" for port in service.open_ports],
                "needs": list(plan.graph.needs[name]),
                "resources": f"{service.resources.tier} (declared)",
            }
        )
    return rows


def ps_table(rows: list[dict[str, Any]]) -> str:
    """State of each service, for a person.

    Args:
        rows: What `ps_rows` returned.

    Returns:
        A line a service.
    """
    cells = [
        (
            r["service"],
            r["role"],
            r["state"],
            ",".join(r["ports"]),
            ",".join(r["needs"]) or "-",
            r["resources"],
            r["image"],
        )
        for r in rows
    ]
    return table(("SERVICE", "ROLE", "STATE", "PORTS", "NEEDS", "RESOURCES", "IMAGE"), cells)
