"""Desired x recorded x observed -> a plan: what changes, why, in which steps, at what cost.

Pure: a plan is whole before the first request of an apply. Read decide.py for the rules, decision.py for what they
answer, then retention.py, image_placement.py and steps_builder.py; plan.py for the result.
"""
