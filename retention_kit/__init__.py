"""Retention, churn, NPS and customer lifetime value, with every number's definition beside it.

Modules load on first use, so `import retention_kit as rk` costs nothing and
`rk.retention.retention_rates(...)` works.
"""

import importlib
from types import ModuleType

__version__ = "0.1.0"

__all__ = [
    "activation",
    "answers",
    "btyd",
    "choices",
    "churn",
    "clv",
    "codeframes",
    "cohorts",
    "comments",
    "comparisons",
    "concentrations",
    "contractual",
    "datasets",
    "drivers",
    "economics",
    "exhibits",
    "explanations",
    "feedback",
    "fits",
    "forecasts",
    "growth",
    "headlines",
    "holdouts",
    "inactivity",
    "intervals",
    "invoices",
    "keywords",
    "leaving",
    "lengths",
    "lifecycle",
    "losses",
    "masks",
    "mrr",
    "nps",
    "nps_comparisons",
    "nps_sizes",
    "params",
    "participation",
    "periods",
    "plots",
    "policies",
    "portfolios",
    "predictions",
    "profits",
    "purchases",
    "recurring",
    "renewals",
    "reports",
    "retention",
    "rfm",
    "rhythm",
    "satisfaction",
    "scales",
    "score_intervals",
    "sentences",
    "simulations",
    "spending",
    "subscribers",
    "survival",
    "tables",
    "themes",
    "tracking",
]


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
