"""What is measured, what raises an alarm, and what the dashboard shows."""
