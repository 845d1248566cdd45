"""`python -m formcheck` is the same as `formcheck`."""

import sys

from formcheck.cli import main

sys.exit(main())
