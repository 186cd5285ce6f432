"""Build, lint, scan, run and publish every service of a platform, on two shared base images.

Start with `dagger call list`, then `dagger call build-all`, `dagger call stack up` and `dagger call ops smoke`.
"""

from pipeline.main import Arc as Arc
