"""Secrets are masked before they leave a kernel, and again in every notebook that is written."""
