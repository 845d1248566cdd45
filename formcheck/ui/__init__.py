"""The app in the browser: one module for each page, and what they share. It holds no analysis."""
