"""The app, as Streamlit runs it: `streamlit run app.py`, `formcheck ui` or `make app`."""

from formcheck.ui.app import main

main()
