"""The only writer of the log.

Hears: every request, every outcome, beats. Says: answers, commands, and each recorded event. Never: does a unit's
work, reads a body, or decides by a clock.
"""
