"""apply.git_lfs: pictures of which only the pointer is on this machine."""
