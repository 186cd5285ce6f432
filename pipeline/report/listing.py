"""The catalogue and the plan, as text and as JSON."""

from __future__ import annotations

import json

from pipeline.catalogue.plan import Plan, Platform
from pipeline.report.table import table


def services_table(platform: Platform) -> str:
    """The catalogue for a person.

    Args:
        platform: The repository.

    Returns:
        A line a service, then the profiles and what the catalogue warns about.
    """
    head = ("CODENAME", "ROLE", "TIER", "TECH", "VERSION", "BASE", "PORTS", "NEEDS", "RESOURCES")
    rows = [
        (
            service.codename,
            service.role or "-",
            service.tier,
            service.tech or "-",
            service.version,
            service.build.base,
            ",".join(str(port.port) for port in service.open_ports) or "-",
            ",".join(platform.graph.needs[service.codename]) or "-",
            service.resources.tier,
        )
        for service in platform.catalogue.services
    ]
    profiles = [f"profile {name}: {', '.join(names)}" for name, names in platform.profiles.selections.items()]
    return "\n".join([table(head, rows), *profiles, *(f"warning: {warning}" for warning in warnings(platform))])


def services_json(platform: Platform) -> str:
    """The catalogue for a machine.

    Args:
        platform: The repository.

    Returns:
        JSON with `services`, `profiles` and `warnings`.
    """
    services = [
        {"file": entry.file, "needs": list(platform.graph.needs[entry.service.codename]), **entry.service.model_dump()}
        for entry in platform.catalogue.entries
    ]
    profiles = [
        {"name": name, "description": platform.profiles.descriptions.get(name, ""), "services": list(names)}
        for name, names in platform.profiles.selections.items()
    ]
    return json.dumps({"services": services, "profiles": profiles, "warnings": warnings(platform)}, indent=2)


def warnings(platform: Platform) -> list[str]:
    """What is not wrong enough to stop: codenames used as roles, and keys that mean nothing here."""
    unknown = [
        f"{entry.file}: key `{key}` is unknown and ignored"
        for entry in platform.catalogue.entries
        for key in entry.unknown
    ]
    return [*platform.graph.warnings, *unknown]


def plan_table(plan: Plan) -> str:
    """The plan for a person.

    Args:
        plan: The plan.

    Returns:
        A line an image in the order of the build, then the order of start.
    """
    rows = [(str(step.layer), step.name, step.kind, ",".join(step.needs) or "-", step.why) for step in plan.steps]
    order = " -> ".join(",".join(layer) for layer in plan.start_order)
    return "\n".join([table(("LAYER", "IMAGE", "KIND", "BUILT ON", "WHY"), rows, right=(0,)), f"start order: {order}"])


def plan_json(plan: Plan) -> str:
    """The plan for a machine.

    Args:
        plan: The plan.

    Returns:
        JSON with `steps` and `start_order`.
    """
    steps = [
        {"layer": s.layer, "name": s.name, "kind": s.kind, "needs": list(s.needs), "why": s.why} for s in plan.steps
    ]
    return json.dumps({"steps": steps, "start_order": plan.start_order}, indent=2)
