"""What follows from what happened: one pure module for each kind of job. Nothing here waits or reads a clock.

A process folds events into a small state (``evolve``) and then looks at the state as a whole (``decide``): it is asked
once after each batch, so that a hundred outcomes lead to one refill of the window rather than a hundred.
"""
