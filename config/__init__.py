"""Typed settings and shipped examples."""
