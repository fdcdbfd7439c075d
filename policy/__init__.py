"""Guardrails: a CrossGuard policy pack that holds every stack to what the project promises."""
