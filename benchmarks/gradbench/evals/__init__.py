"""The evals of GradBench, one module each, named as GradBench names them.

A module has ``FUNCTIONS``, the functions that the eval asks for; ``prepare``, which turns the input of a message into
their arguments; ``example``, which makes such an input of a given size; and, where a result is more than arrays,
``answer``, which turns it into what the eval wants to see.
"""
