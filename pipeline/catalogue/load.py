"""Reading a catalogue: every mistake in it is collected and named by file, key and fix."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from pipeline.catalogue.model import Service
from pipeline.errors import UsageError, raise_usage

SERVICES = "services"
FIX = {
    "missing": "add the key",
    "literal_error": "use one of the values named",
    "list_type": "write a list, `[]` when there is nothing",
    "dict_type": "write a mapping",
}


@dataclass(frozen=True)
class Entry:
    """A service, the file that describes it, and the keys of that file which mean nothing here."""

    service: Service
    file: str
    unknown: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Folder of the service, relative to the root of the repository."""
        return self.file.rpartition("/")[0]


@dataclass(frozen=True)
class Catalogue:
    """All services, in the order of their files, found by any of their names."""

    entries: tuple[Entry, ...]

    @property
    def services(self) -> tuple[Service, ...]:
        """The services without the files they came from."""
        return tuple(entry.service for entry in self.entries)

    def find(self, name: str, where: str = "argument") -> Entry:
        """Look a service up by codename, role, container name or folder.

        Args:
            name: The name that somebody wrote.
            where: The place where it stands, for the error.

        Returns:
            The entry.

        Raises:
            UsageError: No service has the name; the nearest names are given.
        """
        names = self._names()
        if name in names:
            return names[name]
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5) or sorted(
            e.service.codename for e in self.entries
        )
        raise UsageError(where, f"no service is called `{name}`", f"nearest: {', '.join(near)}")

    def _names(self) -> dict[str, Entry]:
        names = {alias: entry for entry in self.entries for alias in entry.service.aliases}
        for entry in self.entries:  # a folder's name counts where no service is called so
            names.setdefault(entry.folder.rpartition("/")[2], entry)
        return names


def load(root: Path) -> Catalogue:
    """Read and check every `service.yaml` below `services/`.

    Args:
        root: Root of the repository.

    Returns:
        The catalogue.

    Raises:
        UsageError: Something is wrong with one file.
        UsageGroupError: With several.
    """
    files = sorted((root / SERVICES).glob("**/service.yaml"))
    if not files:
        raise UsageError(SERVICES, "holds no service.yaml", "add services/<codename>/service.yaml, or pass --source")
    errors: list[UsageError] = []
    entries: list[Entry] = []
    for file in files:
        try:
            entries += _read(file, file.relative_to(root).as_posix())
        except UsageError as error:
            errors.append(error)
        except ValidationError as error:
            errors += [_problem(item, file.relative_to(root).as_posix()) for item in error.errors()]
    for entry in entries:
        errors += _check_paths(root, entry)
    errors += _check_unique(entries)
    raise_usage(errors)
    return Catalogue(tuple(entries))


def _read(file: Path, name: str) -> list[Entry]:
    try:
        documents = [document for document in yaml.safe_load_all(file.read_text("utf-8")) if document is not None]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(name, f"is not YAML ({' '.join(str(error).split())})", "mend that line") from None
    if not documents:
        raise UsageError(name, "is empty", "describe the service: codename, image, health, depends_on")
    for document in documents:
        if not isinstance(document, dict):
            raise UsageError(name, "is not a mapping", "write `key: value` lines")
    services = [Service.model_validate(document) for document in documents]
    return [Entry(service, name, tuple(sorted(service.model_extra or {}))) for service in services]


def _problem(item: Any, name: str) -> UsageError:  # noqa: ANN401  # pydantic's error dictionary
    key = ".".join(str(part) for part in item["loc"])
    message = str(item["msg"]).removeprefix("Value error, ")
    got = "" if item["type"] == "missing" else f", got {item['input']!r}"
    return UsageError(
        f"{name}: {key}", f"{message[0].lower()}{message[1:]}{got}", FIX.get(item["type"], "correct the value")
    )


def _check_paths(root: Path, entry: Entry) -> list[UsageError]:
    """The build context and Dockerfile exist and lie inside of the repository."""
    root = root.resolve()
    build = entry.service.build
    context = (root / entry.folder / build.context).resolve()
    dockerfile = (context / build.dockerfile).resolve()
    for key, path in (("build.context", context), ("build.dockerfile", dockerfile)):
        if not path.is_relative_to(root / SERVICES):
            return [UsageError(f"{entry.file}: {key}", f"leads out of {SERVICES}/", "use a path below it")]
    if not any(word in dockerfile.name for word in ("Dockerfile", "Containerfile")):
        fix = "call it Dockerfile, NAME.Dockerfile or Containerfile"
        return [UsageError(f"{entry.file}: build.dockerfile", "has a name that no tool knows", fix)]
    if not dockerfile.is_file():
        fix = f"add {dockerfile.relative_to(root).as_posix()} or name another"
        return [UsageError(f"{entry.file}: build.dockerfile", f"there is no file `{build.dockerfile}`", fix)]
    return []


def _check_unique(entries: list[Entry]) -> list[UsageError]:
    """No two services share a name, an image or a port of the host."""
    errors: list[UsageError] = []
    owners: dict[str, Entry] = {}
    for entry in entries:
        service = entry.service
        claims = [
            (f"name `{alias}`", "codename" if alias == service.codename else "role/name") for alias in service.aliases
        ]
        claims += [(f"port {port.port}/{port.transport}", "ports") for port in service.open_ports]
        claims += [(f"image `{service.repository}`", "image")]
        for claim, key in claims:
            owner = owners.setdefault(claim, entry)
            if owner is not entry:
                errors.append(UsageError(f"{entry.file}: {key}", f"{claim} is taken by {owner.file}", "choose another"))
    return errors
