"""Incidents (群体事件) and suspected duplicates: which cases belong together, found behind the feed and never while an order comes in.

`traits` reads a case, `likeness` compares two, `opening` makes an incident of several, `sorter` goes along the feed. All pure but the
last. Numbers and departments stand in the pack's incidents.yaml.
"""

from service.incidents.sorter import Sorter
from service.incidents.verdicts import ProposalDecided, ProposalNotFound, accept, dismiss

__all__ = ["ProposalDecided", "ProposalNotFound", "Sorter", "accept", "dismiss"]
