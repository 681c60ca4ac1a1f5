"""An embedded Scenario: a real HTTP server with a real database that keeps the contract of the Scenario API.

It is a neighbour of the rest of the package: it imports nothing of it. It trains nothing and draws its results
itself, marked as simulated. ``python -m scenario_apply.emulator --help`` shows how to start it; tests start it in
their own process with ``scenario_apply.emulator.thread.EmulatorThread``.

A request is read by ``protocol`` (uvicorn's, held to bounds), becomes an ``exchange``, and takes its way through
``app`` (``access``, credentials, budget, faults, route) to one handler (``models``, ``training``, ``assets`` ...),
which reads and writes ``store`` and answers a value.
What happens later by itself (a training ends, an export is ready) is written to ``agenda`` beforehand and carried out
when the clock has passed it, so that a restart changes nothing.
"""
