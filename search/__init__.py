"""Proposes, evaluates, remembers the front, delivers."""
