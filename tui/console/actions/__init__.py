"""What the commands of the servers screen do, one module for each kind of command.

The action ``columns.choose`` in the table of commands is the method ``action_choose`` of the class in
``columns.py``, and so on.
"""
