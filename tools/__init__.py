"""What is used to make and check the course and the demo; no part of the package."""
