"""Personal cadence: how often each member comes, who is overdue, and who is worth waking.

Pure numpy and scipy: no database, no clock, no settings. Days are whole numbers, durations are in days.
Explained in plain words, with measured figures, in docs/wakeup-score.md.
"""
