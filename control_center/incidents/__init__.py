"""Incidents: what the events become, and what people make of them."""
