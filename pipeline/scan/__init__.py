"""Scanning: hadolint on Dockerfiles, trivy on Dockerfiles and images."""
