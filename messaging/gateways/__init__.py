"""Ways out of the house.

Each gateway takes frozen messages in and gives results out; none of them sees a model.
"""
