"""Needs something that nobody has."""

print("a plug-in may say anything while it loads")

import a_library_that_nobody_has  # noqa: E402, F401
