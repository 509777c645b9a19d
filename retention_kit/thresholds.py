"""What a client's figures are held against: its own limits, and others' scores with who says so."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class Thresholds(BaseModel):
    """From where on a rate is called healthy or urgent; per month, converted where the period is another."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    churn_healthy: Annotated[float, Field(gt=0, lt=1)] = 0.05
    churn_urgent: Annotated[float, Field(gt=0, lt=1)] = 0.10

    @model_validator(mode="after")
    def _are_in_order(self) -> "Thresholds":
        if self.churn_healthy > self.churn_urgent:
            raise ValueError(
                f"churn_healthy {self.churn_healthy:g} is above churn_urgent {self.churn_urgent:g}; swap them"
            )
        return self


class Benchmark(BaseModel):
    """Somebody's Net Promoter Score, to stand beside the client's own: whose, how much, who says so, of when.

    None of them is ours: a score depends on who was asked, how and in which country, and we have not seen
    how those were made.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    value: Annotated[float, Field(ge=-100, le=100)]
    source: str
    year: Annotated[int, Field(ge=2003, le=2100)]

    @field_validator("name", "source")
    @classmethod
    def _says_something(cls, words: str) -> str:
        if not words.strip():
            raise ValueError("is blank")
        return words
