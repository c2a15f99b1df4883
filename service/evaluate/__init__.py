"""How well complaints are judged: labelled complaints, figures with their intervals, a report, and the calibration of certainty."""
