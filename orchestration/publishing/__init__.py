"""Releases: written to new files, checked, and put in place by moving one symlink."""
