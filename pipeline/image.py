"""The Dagger object for one image."""

from __future__ import annotations

from typing import Annotated

import dagger
from dagger import Doc, field

from pipeline.api import object_type
from pipeline.build.run import Made


@object_type
class Image:
    """An image that was built: run it, look into it, export it."""

    name: Annotated[str, Doc("Codename of the service, or name of the base.")] = field()
    reference: Annotated[str, Doc("Name under which it is published.")] = field()
    digest: Annotated[str, Doc("Digest of its manifest.")] = field()
    status: Annotated[str, Doc("passed, or failed when a check found something.")] = field()
    size: Annotated[int, Doc("Bytes of the unpacked root filesystem.")] = field()
    sbom: Annotated[dagger.File | None, Doc("CycloneDX JSON; absent when the image was not scanned.")] = field()
    container: Annotated[dagger.Container, Doc("The image as a container.")] = field()

    @classmethod
    def of(cls, made: Made) -> Image:
        """Describe an image of a run.

        Args:
            made: The image.

        Returns:
            The object.
        """
        about = made.result
        return cls(
            name=about.name,
            reference=about.reference,
            digest=about.digest,
            status=about.status,
            size=about.size,
            sbom=made.sbom,
            container=made.container,
        )
