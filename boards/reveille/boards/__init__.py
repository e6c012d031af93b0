"""Board definitions, build and flash."""
