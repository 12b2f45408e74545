"""Everything that starts Regulars on one machine: database, broker, phone simulator, and the processes of
`make run`.
"""
