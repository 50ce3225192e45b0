"""What is claimed about speed and accuracy, runnable; each script has its report beside it."""
