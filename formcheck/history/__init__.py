"""Sessions over time, on this machine only: what is kept of each, what changed, and whether to add load.

- `store`: the sessions in one SQLite file (`History`).
- `records`: what is kept of a session (`Session`).
- `export`: all of it as JSON or CSV.
"""

from formcheck.history.place import default_path
from formcheck.history.records import Session, Source
from formcheck.history.store import History

__all__ = ["History", "Session", "Source", "default_path"]
