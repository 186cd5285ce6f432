"""Parts of an engine: which are missing, and how all of them get made in order, two at a time."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .hashing import key
from .report import duration, say, step
from .store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_AT_ONCE = 2
_OVERLAP = 0.8  # of the time one after the other: both cores are busy for most of it either way


@dataclass(frozen=True)
class Part:
    """One artefact and how it is made.

    Attributes:
        name: its name in the store.
        title: what the user is told.
        seconds: about how long it takes on 2 cores.
        megabytes: about how much of the disk it takes.
        make: fills the folder it is given; is also given a function that says where another part is.
        needs: names of the parts it is made of.
        inputs: what else it is made of: versions, options, paths of sources.
        spared: for a tool that only helps to make others, whether the machine has one; None for all others.
    """

    name: str
    title: str
    seconds: int
    megabytes: int
    make: Callable[[Path, Callable[[str], Path]], None]
    needs: tuple[str, ...] = ()
    inputs: tuple[object, ...] = ()
    spared: Callable[[], bool] | None = None


class Parts:
    """All parts of one engine and where they are.

    Args:
        store: the folder they are in.
        recipe: anything that changes when the code that makes them makes something else of the same inputs.
        parts: in an order in which none needs a later one.
    """

    def __init__(self, store: Store, recipe: object, parts: Iterable[Part]) -> None:
        self.store = store
        self._parts: dict[str, Part] = {}
        self._keys: dict[str, str] = {}
        for part in parts:
            below = [self._keys[name] for name in part.needs if self._parts[name].spared is None]
            self._parts[part.name] = part
            self._keys[part.name] = key(part.name, recipe, *below, *part.inputs)

    def place(self, name: str) -> Path:
        """Where a part is, or will be.

        Args:
            name: the part.
        """
        return self.store.place(name, self._keys[name])

    def places(self) -> list[Path]:
        """Where all parts are, or will be."""
        return [self.place(name) for name in self._parts]

    def digest(self, name: str) -> str:
        """Digest of a part that is an image.

        Args:
            name: the part.
        """
        return (self.place(name) / "digest").read_text().strip()

    def missing(self, wanted: Iterable[str]) -> list[Part]:
        """Parts that are to be made, in an order in which none needs a later one.

        Args:
            wanted: the parts that must be there in the end; what they are made of is only made when they are not.
        """
        absent: set[str] = set()
        for name in wanted:
            self._visit(name, absent)
        return [part for part in self._parts.values() if part.name in absent]

    def make(self, parts: list[Part]) -> None:
        """Makes parts, two at a time where one does not need the other.

        Args:
            parts: what `missing` says.
        """
        todo = {part.name: part for part in parts}
        running: dict[Future[None], str] = {}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                while todo or running:
                    unmade = {*todo, *running.values()}
                    ready = [part for part in todo.values() if not unmade.intersection(part.needs)]
                    ready.sort(key=lambda part: -part.seconds)  # what takes long must not come last
                    for part in ready[: _AT_ONCE - len(running)]:
                        running[pool.submit(self._make, todo.pop(part.name))] = part.name
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        running.pop(future)
                        future.result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _make(self, part: Part) -> None:
        with step(f"{part.title} (about {duration(part.seconds)})"):
            self.store.make(self.place(part.name), lambda folder: part.make(folder, self.place))

    def _visit(self, name: str, absent: set[str]) -> None:
        part = self._parts[name]
        if name not in absent and not self.place(name).is_dir() and not (part.spared and part.spared()):
            absent.add(name)
            for need in part.needs:
                self._visit(need, absent)


def announce(parts: list[Part], store: Path) -> None:
    """Says what a start is going to build, how long that takes and how much room.

    Args:
        parts: what is missing.
        store: where it goes.
    """
    seconds = _OVERLAP * sum(part.seconds for part in parts)
    room = sum(part.megabytes for part in parts)
    say(
        f"{len(parts)} parts of the engine are built from package registries, once:"
        f" about {duration(seconds)} on 2 cores, {room / 1000:.1f} GB in {store}"
    )
