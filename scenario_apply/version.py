"""The version of this package; a test says that pyproject.toml has the same. Imports nothing: --version reads it."""

VERSION = "0.1.0"
