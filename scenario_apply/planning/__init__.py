"""Desired x recorded x observed -> a plan: what changes, why, in which steps, at what cost.

Pure. Read decide.py for the decisions, steps_builder.py for the steps, plan.py for the result.
"""
