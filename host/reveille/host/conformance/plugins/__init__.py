"""The protocols of plug-ins as checks that a user runs on a plug-in of their own."""
