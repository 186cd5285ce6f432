"""The catalogue: what the platform consists of, read from `services/**/service.yaml` and `services/profiles.yaml`."""
