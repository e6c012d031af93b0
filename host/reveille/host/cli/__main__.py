"""`python -m reveille.host.cli`: the command line without its script."""

from reveille.host.cli import main

main()
