"""The vocabulary of all other subjects: addresses, ids, steps, training types, what the service holds, ports.

Pure: values and Protocols only. It imports nothing of ours but errors. Read address.py and steps.py first.
"""
