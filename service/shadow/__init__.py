"""Shadow: a draft runs beside the version in force, on live cases, and decides nothing.

It follows the feed of changes as any poller does, so intake does not know of it. `beside.py` starts, stops and tells; `follower.py` goes
along; `output.py` puts it into words.
"""

from service.shadow.beside import Chosen, choose, start, stop, told
from service.shadow.errors import ShadowMissing, ShadowRunning
from service.shadow.follower import Follower

__all__ = ["Chosen", "Follower", "ShadowMissing", "ShadowRunning", "choose", "start", "stop", "told"]
