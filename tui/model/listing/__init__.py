"""A fleet laid out as a list: rows, columns, order, and the part that is shown."""
