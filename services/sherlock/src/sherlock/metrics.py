"""Prometheus metrics; a registry of its own for each application."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from sherlock import __version__

# One more series for each series, which nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call] # prometheus-client forgot it

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """All metrics of the service."""

    def __init__(self) -> None:
        """Register the metrics."""
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        Gauge("sherlock_build_info", "Always 1.", ["version"], registry=registry).labels(__version__).set(1)
        self.requests = Counter(
            "sherlock_requests",
            "Requests answered.",
            ["transport", "method", "route", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "sherlock_request_seconds",
            "Time to the end of the answer.",
            ["transport", "route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.running = Gauge(
            "sherlock_reasoning_running", "Requests being reasoned about.", registry=registry
        )
        self.step_seconds = Histogram(
            "sherlock_step_seconds",
            "Time of a step of the graph.",
            ["step"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.tokens = Counter("sherlock_tokens", "Tokens of the model.", ["model", "kind"], registry=registry)
        self.model_failures = Counter(
            "sherlock_model_failures", "Failed model requests.", ["reason"], registry=registry
        )
        self.events = Counter(
            "sherlock_events", "Events on arc.reasoner.answered by outcome.", ["outcome"], registry=registry
        )
        self.memory_turns = Gauge(
            "sherlock_memory_turns", "Turns in memory (an estimate above 100000).", registry=registry
        )
        self.memory_bytes = Gauge(
            "sherlock_memory_bytes", "Bytes of the memory with indexes.", registry=registry
        )
        self.up = Gauge("sherlock_dependency_up", "1 when it can be used.", ["dependency"], registry=registry)

    def render(self) -> bytes:
        """Return the text exposition format."""
        return generate_latest(self.registry)
