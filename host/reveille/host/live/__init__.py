"""The live page: a session that streams beats, and the page that shows and steers it."""
