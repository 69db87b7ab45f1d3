"""The center's HTTP API: one module a resource."""
