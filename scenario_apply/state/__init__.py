"""What is recorded: State, Record and Version, the outcomes of steps, and how one state follows from another.

Pure but for stores/, which keeps a state on disk. Read state.py first, then outcome.py.
"""
