"""Reviews of reports by people, in a page on this machine; training learns from them."""
