"""formcheck: a form checker for hamstring exercises and stretches."""

__version__ = "0.1.0"
