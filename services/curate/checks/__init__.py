"""What is wrong with one entry, without a model: every reason code that needs no other entry.

Read in this order: source (what is looked at), judge (the order of the checks), then one file per family.
"""

from services.curate.checks.judge import CHECKS, Check, Judged, judge, judge_parts, measure
from services.curate.checks.source import Source

__all__ = ["CHECKS", "Check", "Judged", "Source", "judge", "judge_parts", "measure"]
