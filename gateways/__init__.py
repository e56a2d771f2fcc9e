"""Gateways: the only place that knows a vendor. One file per gateway, all behind one port."""
