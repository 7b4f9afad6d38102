"""The operator's terminal.

Hears: words typed at it. Says: one line per stage, and requests over REST. Never: decides what a job does.
"""
