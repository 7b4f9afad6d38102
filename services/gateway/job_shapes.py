"""What is answered to a request about a job: that it is recorded, and what the job is about to do."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

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


class ForkOptions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    position: str | None = Field(default=None, max_length=30)
    """As the API gave it; none: now."""
    name: str | None = Field(default=None, max_length=200)
    """Of the new dataset; none: that of the old one."""


class Forked(Shape):
    job_id: UUID
    dataset_id: UUID
    message: str
    status: Literal["submitted"] = "submitted"
    state: Literal["recorded", "queued"] = "recorded"
