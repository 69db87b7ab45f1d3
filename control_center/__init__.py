"""People: command line, API, incidents, users, fleet, database."""
