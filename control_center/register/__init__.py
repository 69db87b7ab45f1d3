"""The register: which cameras there are, what they are for, where they stand and what is watched on them."""

from control_center.register.store import (
    CameraExists,
    CameraUnknown,
    FormerCamera,
    ImportResult,
    Register,
    RegisterError,
    RegisterState,
)

__all__ = [
    "CameraExists",
    "CameraUnknown",
    "FormerCamera",
    "ImportResult",
    "Register",
    "RegisterError",
    "RegisterState",
]
