"""The registry on loopback: stands in for docker.io's Debian image, and takes what the pipeline publishes."""

from __future__ import annotations

import http.client
import json
import socket
import time
from typing import TYPE_CHECKING

from .errors import LauncherError
from .settings import DEFAULT_PORT
from .store import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from .settings import Settings

HOST = "127.0.0.1"
REPOSITORY = "library/debian"
TAG = "trixie-slim"
_PORTS = range(DEFAULT_PORT, DEFAULT_PORT + 100)
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def free(port: int) -> bool:
    """Whether nothing listens on a port of 127.0.0.1.

    Args:
        port: the port.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose_port(wanted: int | None, last: int | None) -> int:
    """The port for the registry.

    Args:
        wanted: the one the user asked for.
        last: the one it had when the engine ran last.

    Returns:
        `wanted`; else `last`, 5000 or the next one, whichever is free first.

    Raises:
        LauncherError: it is taken.
    """
    if wanted:
        if free(wanted):
            return wanted
        raise LauncherError(
            f"port {wanted} is taken: set ARC_ENGINE_REGISTRY_PORT to a free one, or unset it to have one chosen"
        )
    for port in ([last] if last else []) + list(_PORTS):
        if free(port):
            return port
    raise LauncherError(f"ports {_PORTS[0]} to {_PORTS[-1]} are all taken: set ARC_ENGINE_REGISTRY_PORT to a free one")


class Registry:
    """A running registry.

    Args:
        port: its port on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        self.address = f"{HOST}:{port}"

    def answers(self) -> bool:
        """Whether it answers requests."""
        try:
            return self._request("GET", "/v2/")[0] == http.client.OK
        except OSError:
            return False

    def wait(self, seconds: float) -> bool:
        """Waits until it answers.

        Args:
            seconds: how long at most.

        Returns:
            Whether it does.
        """
        end = time.monotonic() + seconds
        while not self.answers():
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True

    def seed(self, blobs: Path, digest: str) -> None:
        """Puts an image there as `library/debian:trixie-slim`, unless it is there.

        Args:
            blobs: folder with the image's blobs, `sha256/<hex>`.
            digest: digest of its manifest.

        Raises:
            LauncherError: the registry did not take it.
        """
        status, headers, _ = self._request("HEAD", f"/v2/{REPOSITORY}/manifests/{TAG}", headers={"Accept": _MANIFEST})
        if status == http.client.OK and headers.get("Docker-Content-Digest") == digest:
            return
        manifest = (blobs / "sha256" / digest.removeprefix("sha256:")).read_bytes()
        content = json.loads(manifest)
        for blob in [content["config"], *content["layers"]]:
            self._push_blob(blobs, blob["digest"])
        headers = {"Content-Type": _MANIFEST}
        status, _, answer = self._request("PUT", f"/v2/{REPOSITORY}/manifests/{TAG}", manifest, headers)
        self._expect(status, http.client.CREATED, answer)

    def _push_blob(self, blobs: Path, digest: str) -> None:
        status, _, _ = self._request("HEAD", f"/v2/{REPOSITORY}/blobs/{digest}")
        if status == http.client.OK:
            return
        status, headers, answer = self._request("POST", f"/v2/{REPOSITORY}/blobs/uploads/")
        self._expect(status, http.client.ACCEPTED, answer)
        location = headers["Location"].removeprefix(f"http://{self.address}")
        separator = "&" if "?" in location else "?"
        data = (blobs / "sha256" / digest.removeprefix("sha256:")).read_bytes()
        kind = {"Content-Type": "application/octet-stream"}
        status, _, answer = self._request("PUT", f"{location}{separator}digest={digest}", data, kind)
        self._expect(status, http.client.CREATED, answer)

    def _request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.address, timeout=60)  # never by a proxy: it is this machine
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def _expect(self, status: int, wanted: int, answer: bytes) -> None:
        if status != wanted:
            raise LauncherError(
                f"the registry at {self.address} refused the base image ({status} {answer[:120]!r}): see enginectl logs"
            )


def images_lock(digest: str, port: int) -> str:
    """Content of the file that tells the pipeline which images this engine stands in for.

    Args:
        digest: digest of the Debian image.
        port: the registry's port.
    """
    images = {"debian": f"docker.io/{REPOSITORY}:{TAG}@{digest}"}
    return json.dumps({"images": images, "registry": f"{HOST}:{port}"}, indent=2) + "\n"


def write_images_lock(settings: Settings, digest: str, port: int) -> None:
    """Writes that file unless it says so already.

    Args:
        settings: says where.
        digest: digest of the Debian image.
        port: the registry's port.
    """
    text = images_lock(digest, port)
    if not settings.images_lock.exists() or settings.images_lock.read_text() != text:
        write_atomically(settings.images_lock, text)
