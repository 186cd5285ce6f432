# The stack's front: a TCP proxy with every published port of the stack, so that one service can be brought up.
ARG DEBIAN=docker.io/library/debian:trixie-slim@sha256:d7e12182ce18b85b93007c1dedf31f2d29e01ccf3182cc4017c709b6259bc132
FROM ${DEBIAN}
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    apt-get update \
    && apt-get install -y --no-install-recommends haproxy=3.0.* \
    && rm -rf /var/lib/apt/lists/*
USER 1000:1000
ENTRYPOINT ["haproxy", "-W", "-db", "-f", "/haproxy.cfg"]
