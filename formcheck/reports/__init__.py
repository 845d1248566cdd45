"""Reports as text, JSON and CSV, and the files that they are written to."""
