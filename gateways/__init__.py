"""Gateways: the only place that knows a vendor. A module or package each, all behind one port."""
