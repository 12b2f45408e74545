"""English: Nov 3, 2026 and 14:05, as `store_time` writes them; Django's own would be Nov. 3, 2026 and 2:05 p.m."""

DATE_FORMAT = "M j, Y"
DATETIME_FORMAT = "M j, Y H:i"
SHORT_DATETIME_FORMAT = "M j, Y H:i"
TIME_FORMAT = "H:i"
MONTH_DAY_FORMAT = "M j"
