"""Reinforcement-learning agents over vectors: states in, actions out."""
