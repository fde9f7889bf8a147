"""A fleet laid out as a list: rows, columns, order, and what of it is shown."""
