"""The front end's fitted side: quantiser, likelihood words, seeds and operating points."""
