"""The routes of /api/v1: thin; parse, call, return."""
