"""Activities: thin classes over the use cases, in the order of a cycle's data flow.

control → market → decision → risk → execution → record, and protection beside them
"""
