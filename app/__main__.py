"""`python -m app` is `bedside`."""

from app.cli import main

main()
