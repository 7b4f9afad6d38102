"""The model client: one way to ask any language model, with failures as stable codes and every call on record.

Read in this order: ``model`` (what is asked and answered), ``failure`` (what goes wrong and what then), ``client``
(who retries), ``registry`` (which models there are). Holds no prompt and judges no answer.
"""
