"""HTTP, database, artifacts, dispatcher, dashboard."""
