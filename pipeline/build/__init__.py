"""Building: base images and services, from their Dockerfiles, without a registry in between."""
