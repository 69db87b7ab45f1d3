"""The subcommands of `haechi`, one module each."""
