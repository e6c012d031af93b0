"""The firmware of the soft core: a trained network in, an image for its memory out."""
