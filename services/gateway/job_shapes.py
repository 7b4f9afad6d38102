"""What is answered to a request about a job: that it is recorded, and what the job is about to do."""

from typing import Literal
from uuid import UUID

from services.gateway.shapes import Shape


class Cancelling(Shape):
    job_id: UUID
    message: str
    status: Literal["cancelling"] = "cancelling"


class Pausing(Shape):
    job_id: UUID
    message: str
    status: Literal["pausing"] = "pausing"


class Resumed(Shape):
    job_id: UUID
    message: str
    status: Literal["resumed"] = "resumed"


class Restarted(Shape):
    job_id: UUID
    message: str
    status: Literal["restarted"] = "restarted"
    state: Literal["recorded", "queued"] = "recorded"
