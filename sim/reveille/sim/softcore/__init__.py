"""The cascade in RTL: front end and soft core, which runs real firmware."""
