"""`python -m retention_kit`, where the command is not on the path."""

from retention_kit.cli import main

main()
