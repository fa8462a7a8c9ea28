"""Tables that other systems published, as device documents of ours."""

from hw_models.importers.door import FORMATS, import_table

__all__ = ["FORMATS", "import_table"]
