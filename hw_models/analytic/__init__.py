"""Devices that are formulas: hardware that is not at hand. They claim ranks and ratios, never absolute times."""
