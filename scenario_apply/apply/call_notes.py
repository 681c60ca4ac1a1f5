"""What the calls of a run share with each other and the run loop: the one object that worker threads change. Locked."""

from __future__ import annotations

import threading

from scenario_apply.model.address import Address
from scenario_apply.model.steps import StepId


class CallNotes:
    """Facts that outlive a single call of a run. Every method is safe for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unanswered: set[StepId] = set()
        self._uncertain: set[Address] = set()
        self._created: set[str] = set()
        self._remarks: list[tuple[Address, str]] = []
        self._recaptioned: set[Address] = set()

    def response_lost(self, step_id: StepId, address: Address | None = None) -> None:
        """A request of this step may have been carried out. address: a resource that may hold something twice now."""
        with self._lock:
            self._unanswered.add(step_id)
            if address is not None:
                self._uncertain.add(address)

    def response_found(self, step_id: StepId) -> None:
        """The result of the step's request is known after all."""
        with self._lock:
            self._unanswered.discard(step_id)

    def is_unanswered(self, step_id: StepId) -> bool:
        """Whether a request of the step may have been carried out, unknown to this run."""
        with self._lock:
            return step_id in self._unanswered

    @property
    def has_unanswered(self) -> bool:
        with self._lock:
            return bool(self._unanswered)

    def is_uncertain(self, address: Address) -> bool:
        """Whether a response about this resource was lost in this run."""
        with self._lock:
            return address in self._uncertain

    def created(self, remote_id: str) -> None:
        """An id that a request of this run produced: no other request may adopt it."""
        with self._lock:
            self._created.add(remote_id)

    @property
    def created_ids(self) -> frozenset[str]:
        with self._lock:
            return frozenset(self._created)

    def remark(self, address: Address, text: str) -> None:
        """What is done about a lost response that people should know of."""
        with self._lock:
            self._remarks.append((address, text))

    def recaptioned(self, address: Address, text: str) -> None:
        """The service keeps another caption than it was sent: remarked once for each resource."""
        with self._lock:
            if address not in self._recaptioned:
                self._recaptioned.add(address)
                self._remarks.append((address, text))

    def take_remarks(self) -> list[tuple[Address, str]]:
        """What is to be said of a resource since the last call."""
        with self._lock:
            remarks, self._remarks = self._remarks, []
            return remarks
