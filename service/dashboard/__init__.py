"""Server-rendered pages; they show only what the JSON API also says."""
