"""`slipway connectors`: the tools of connector authors."""
