"""Carries a plan out: schedule, calls, polling, records, recovery after lost responses, the ledger.

Touches network and disk through api and state only. Read apply_plan.py, then run.py and the pure schedule.py.
"""
