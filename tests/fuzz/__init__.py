"""Fuzz targets for everything that others write and this tool reads; `make fuzz` runs them."""
