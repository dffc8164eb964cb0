"""What experiments measure, one module a kind of measurement.  Each function returns plain numbers, with units in its docstring."""
