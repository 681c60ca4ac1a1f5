"""Where a state is kept when it is no file: object stores, PostgreSQL and HTTP, behind one port.

Read backend.py first: what each kind of store does. remote_store.py makes a state store of it: reading, saving,
backups, the journal of calls that create or spend, and the lease.
"""
