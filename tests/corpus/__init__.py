"""What masking is measured on: secrets made from the rules of gitleaks, and the kit's own text, which has none."""
