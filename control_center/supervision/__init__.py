"""Starting an installation's processes and keeping them running."""
