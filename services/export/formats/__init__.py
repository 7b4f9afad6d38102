"""The file formats of datasets, one module each. They write rows in the order given and never judge or drop one.

A format is an object with the shape of ``protocol.Format``, named by an entry point of the group
``gristmill.formats``; those built in are registered in the same way as a stranger's (see ``registry``).
"""
