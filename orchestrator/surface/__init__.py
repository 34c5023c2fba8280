"""What SQL a piece of the product's code implements: functions, operators, statements, variables, errors.

`Surfaces(reader).at(tree)` reads a revision (fast when the one before was read, too: everything is kept by blob id),
`targets(surface, changes)` says what SQL can reach a change. See `model` for the values and `reader` for the interface
that another product implements.
"""
