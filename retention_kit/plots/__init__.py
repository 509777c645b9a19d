"""One picture a result frame: each draws on the Axes it is given and computes nothing beyond a pivot.

No title, size or style here: the caller has the Axes.
"""

from retention_kit.plots.churn import plot_churn_rates, plot_mrr_movements
from retention_kit.plots.clv import plot_clv_historical
from retention_kit.plots.nps import plot_nps
from retention_kit.plots.retention import (
    plot_average_retention,
    plot_first_and_returning,
    plot_retention_curves,
    plot_retention_matrix,
)

__all__ = [
    "plot_average_retention",
    "plot_churn_rates",
    "plot_clv_historical",
    "plot_first_and_returning",
    "plot_mrr_movements",
    "plot_nps",
    "plot_retention_curves",
    "plot_retention_matrix",
]
