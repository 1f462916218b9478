"""The command line: one file a command, every body a thin call into the package."""
