"""`services/profiles.yaml`: named selections of services."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pipeline.catalogue.load import Catalogue
from pipeline.errors import UsageError, raise_usage

FILE = "services/profiles.yaml"
ALL = "*"
FULL = "full"
"""The profile that every catalogue has: all of its services."""


@dataclass(frozen=True)
class Profiles:
    """What each profile selects, as codenames in order, before dependencies are added."""

    selections: Mapping[str, tuple[str, ...]]
    descriptions: Mapping[str, str] = field(default_factory=dict)

    def select(self, profile: str, only: Sequence[str] = (), without: Sequence[str] = ()) -> tuple[str, ...]:
        """Choose services.

        Args:
            profile: Name of a profile; not looked at when `only` names services.
            only: Codenames to take instead of a profile.
            without: Codenames to leave out.

        Returns:
            Codenames in the profile's order.

        Raises:
            UsageError: There is no such profile, or nothing is left.
        """
        if not only and profile not in self.selections:
            near = difflib.get_close_matches(profile, self.selections, n=3) or sorted(self.selections)
            raise UsageError("--profile", f"there is no profile `{profile}`", f"choose one of: {', '.join(near)}")
        chosen = tuple(name for name in (only or self.selections[profile]) if name not in without)
        if not chosen:
            where, fix = ("--without", "leave out fewer") if without else (f"{FILE}: {profile}", "name a service")
            raise UsageError(where, "leaves no service" if without else "has no service", fix)
        return chosen


def load(root: Path, catalogue: Catalogue) -> Profiles:
    """Read the profiles and resolve them against the catalogue.

    Args:
        root: Root of the repository.
        catalogue: The services that they may name.

    Returns:
        The profiles; `full` is always among them.

    Raises:
        UsageError: The file is wrong.
        UsageGroupError: In several places.
    """
    everything = tuple(service.codename for service in catalogue.services)
    file = root / FILE
    if not file.is_file():
        return Profiles({FULL: everything}, {FULL: "Every service."})
    try:
        document = yaml.safe_load(file.read_text("utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(FILE, f"is not YAML ({' '.join(str(error).split())})", "mend that line") from None
    if not isinstance(document, dict):
        raise UsageError(FILE, "is not a mapping", "write `profile: {services: [...]}`")
    reader = _Reader(catalogue, everything)
    selections, descriptions = reader.read({str(name): value for name, value in document.items()})
    raise_usage(reader.errors)
    return Profiles(selections | {FULL: everything}, descriptions | {FULL: "Every service."})


class _Reader:
    """One reading of the document; collects what is wrong in `errors`."""

    def __init__(self, catalogue: Catalogue, everything: tuple[str, ...]) -> None:
        self.catalogue, self.everything = catalogue, everything
        self.errors: list[UsageError] = []

    def read(self, document: dict[str, Any]) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
        capabilities = self.capabilities(document.get("capabilities") or {})
        core = self.services(document.get("core"), "core") if "core" in document else ()
        selections: dict[str, tuple[str, ...]] = {}
        for name in capabilities:
            selections[name] = self.capability(name, capabilities, ())
        for name, value in document.items():
            if name == "capabilities":
                continue
            if isinstance(value, dict) and "capabilities" in value:
                listed = value["capabilities"]
                wanted = list(capabilities) if listed == ALL else self.names(listed, f"{name}.capabilities")
                added = [
                    item for cap in wanted for item in self.capability(cap, capabilities, (), f"{name}.capabilities")
                ]
                selections[name] = tuple(dict.fromkeys((*core, *added)))
            else:
                selections[name] = self.services(value, name)
        texts = {**capabilities, **{name: value for name, value in document.items() if name != "capabilities"}}
        return selections, {k: str(v.get("description", "")) for k, v in texts.items() if isinstance(v, dict)}

    def capability(self, name: str, table: dict[str, Any], path: tuple[str, ...], key: str = "") -> tuple[str, ...]:
        """Services of a capability and of those that it requires; `path` guards against a cycle."""
        where = f"{FILE}: {key or f'capabilities.{name}'}"
        if name not in table:
            near = difflib.get_close_matches(str(name), table, n=3) or sorted(table)
            self.errors.append(UsageError(where, f"no capability `{name}`", f"known: {', '.join(near) or 'none'}"))
            return ()
        if name in path:
            cycle = " -> ".join((*path[path.index(name) :], name))
            self.errors.append(UsageError(where, f"cycle of requires {cycle}", "remove one of them"))
            return ()
        value = table[name]
        required = [
            item
            for need in self.names(value.get("requires"), f"capabilities.{name}.requires")
            for item in self.capability(need, table, (*path, name), f"capabilities.{name}.requires")
        ]
        return tuple(dict.fromkeys((*self.services(value, f"capabilities.{name}"), *required)))

    def capabilities(self, value: object) -> dict[str, dict[str, Any]]:
        """The table of capabilities; what is none is an error, and left out."""
        if not isinstance(value, dict):
            self.errors.append(
                UsageError(f"{FILE}: capabilities", "is not a mapping", "write `name: {services: [...]}`")
            )
            return {}
        bad = [name for name, capability in value.items() if not isinstance(capability, dict)]
        for name in bad:
            fix = "write `{services: [...]}`"
            self.errors.append(UsageError(f"{FILE}: capabilities.{name}", "is not a mapping", fix))
        return {str(name): capability for name, capability in value.items() if name not in bad}

    def names(self, value: object, key: str) -> list[str]:
        """A list of names; anything else is an error, and empty."""
        if value is None:
            return []
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return value
        self.errors.append(UsageError(f"{FILE}: {key}", "is not a list of names", "write `[name, name]`"))
        return []

    def services(self, value: object, key: str) -> tuple[str, ...]:
        names = value.get("services") if isinstance(value, dict) else None
        if names == ALL:
            return self.everything
        if not isinstance(names, list):
            fix = 'write `services: [...]`, or `services: "*"`'
            self.errors.append(UsageError(f"{FILE}: {key}", "has no list of services", fix))
            return ()
        found = []
        for name in names:
            try:
                found.append(self.catalogue.find(str(name), f"{FILE}: {key}.services").service.codename)
            except UsageError as error:
                self.errors.append(error)
        return tuple(dict.fromkeys(found))
