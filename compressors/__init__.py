"""A trained model in, a smaller model and a report out."""
