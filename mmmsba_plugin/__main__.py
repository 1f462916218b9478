"""Makes ``python -m mmmsba_plugin`` the command."""

from mmmsba_plugin.cli import main

if __name__ == "__main__":
    main()
