"""Incidents (群体事件) and suspected duplicates: which cases belong together, found behind the feed and never while an order comes in.

`traits` reads a case, `likeness` compares two, `opening` makes an incident of several: pure. `sorter` goes along the feed, `similar`
finds past cases like one. Numbers and departments stand in the pack's incidents.yaml.
"""

from service.incidents.similar import Similar, similar_to
from service.incidents.sorter import Sorter
from service.incidents.traits import Kin, signs_of
from service.incidents.verdicts import ProposalDecided, ProposalNotFound, accept, dismiss

__all__ = ["Kin", "ProposalDecided", "ProposalNotFound", "Similar", "Sorter", "accept", "dismiss", "signs_of", "similar_to"]
