"""Many manifests of many projects as one: fleet.yaml, the tasks of its projects, who runs them when, and what is shown.

It knows no manifest, service or state itself: a task is plain data, and cli/fleet_worker.py carries one out. Read
fleet_file.py first, then tasks.py and coordinator.py.
"""
