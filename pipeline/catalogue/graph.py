"""Dependencies between services: resolution, cycles, closure and start order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from pipeline.catalogue.load import Catalogue
from pipeline.errors import UsageError, raise_usage


@dataclass(frozen=True)
class Graph:
    """Who needs whom, by codename."""

    needs: Mapping[str, tuple[str, ...]]
    warnings: tuple[str, ...] = ()

    def closure(self, names: Iterable[str]) -> dict[str, str]:
        """Everything that the named services need, transitively.

        Args:
            names: Codenames.

        Returns:
            Each codename with the reason it is in: `selected`, or who needs it. Selected ones come first.
        """
        reasons = dict.fromkeys(names, "selected")
        queue = list(reasons)
        while queue:
            name = queue.pop(0)
            for need in self.needs[name]:
                if need not in reasons:
                    reasons[need] = f"needed by {name}"
                    queue.append(need)
        return reasons

    def layers(self, names: Iterable[str]) -> list[list[str]]:
        """Start order: each layer needs only what earlier layers hold.

        Args:
            names: Codenames, closed under their dependencies.

        Returns:
            Lists of codenames, each sorted.
        """
        chosen = set(names)
        sorter = TopologicalSorter({name: set(self.needs[name]) & chosen for name in sorted(chosen)})
        sorter.prepare()
        result = []
        while sorter.is_active():
            ready = sorted(sorter.get_ready())
            result.append(ready)
            sorter.done(*ready)
        return result


def build(catalogue: Catalogue) -> Graph:
    """Resolve every `depends_on` and check that nothing waits for itself.

    Args:
        catalogue: The services.

    Returns:
        The graph.

    Raises:
        UsageError: An unknown dependency, or a cycle, printed as its path.
        UsageGroupError: Several unknown dependencies.
    """
    needs: dict[str, tuple[str, ...]] = {}
    errors: list[UsageError] = []
    warnings: list[str] = []
    for entry in catalogue.entries:
        found = []
        for name in entry.service.depends_on:
            try:
                target = catalogue.find(name, f"{entry.file}: depends_on").service
            except UsageError as error:
                errors.append(error)
                continue
            found.append(target.codename)
            if name == target.codename != target.key:
                warnings.append(f"{entry.file}: depends_on: `{name}` is a codename; write its role `{target.key}`")
        needs[entry.service.codename] = tuple(dict.fromkeys(found))
    raise_usage(errors)
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        path = list(reversed(error.args[1]))
        file = catalogue.find(path[0]).file
        raise UsageError(f"{file}: depends_on", f"cycle {' -> '.join(path)}", "remove one of these edges") from None
    return Graph(needs, tuple(warnings))
