"""Starts the pinned Dagger: the CLI wrapper (daggerw) and the engine from package registries (enginectl)."""
