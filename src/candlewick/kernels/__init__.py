"""Plain scalar Python functions made into compiled kernels, kept on disk under a name that says what they are."""

from candlewick.kernels.build import Kernel, build, built_before, cache_folder, emit, kernel_version

__all__ = ["Kernel", "build", "built_before", "cache_folder", "emit", "kernel_version"]
