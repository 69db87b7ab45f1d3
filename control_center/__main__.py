"""`python -m control_center` is `haechi`."""

from control_center.cli import main

main()
