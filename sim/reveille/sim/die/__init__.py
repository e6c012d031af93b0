"""A memristor die as its pads show it: behaviour, and the timing that it insists on."""
