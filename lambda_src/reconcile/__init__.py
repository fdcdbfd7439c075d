"""The reconciliation function: finds uploads whose event never came, and has them processed."""
