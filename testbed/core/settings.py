"""What tells the migrations of a matrix apart."""

from typing import Any, TypeAlias

Settings: TypeAlias = dict[str, Any]
"""Values by the path that they are put at, each as the scenario wrote it: ``{"vm.ram": "128GiB"}``. A value is a
scalar, a mapping with a name, or a list of services.
"""
