"""Exit codes of the command line; documented in its help."""

OK = 0
#: The command line is wrong; click says this by itself.
USAGE = 2
#: At least one clip could not be evaluated.
NOT_EVALUATED = 3
#: The run could not start or go on.
STOPPED = 4
