"""One picture a result frame: each draws on the Axes it is given and computes nothing beyond a pivot.

No title, size or style here: the caller has the Axes.
"""

from retention_kit.plots.churn import (
    plot_churn_hazard,
    plot_churn_rates,
    plot_churn_reasons,
    plot_gap_distribution,
    plot_inactivity_windows,
    plot_mrr_movements,
)
from retention_kit.plots.clv import (
    plot_alive,
    plot_clv_historical,
    plot_contract_survival,
    plot_expected_and_actual,
    plot_lorenz,
    plot_tracking,
)
from retention_kit.plots.cohorts import plot_cohort_revenue
from retention_kit.plots.comments import plot_keywords, plot_themes
from retention_kit.plots.drivers import plot_drivers
from retention_kit.plots.feedback import plot_after
from retention_kit.plots.lifecycle import plot_activation, plot_lifecycle, plot_stickiness
from retention_kit.plots.nps import plot_nps
from retention_kit.plots.retention import (
    plot_average_retention,
    plot_first_and_returning,
    plot_retention_curves,
    plot_retention_matrix,
)
from retention_kit.plots.rfm import plot_rfm_segments
from retention_kit.plots.survival import plot_survival

__all__ = [
    "plot_activation",
    "plot_after",
    "plot_alive",
    "plot_average_retention",
    "plot_churn_hazard",
    "plot_churn_rates",
    "plot_churn_reasons",
    "plot_clv_historical",
    "plot_cohort_revenue",
    "plot_contract_survival",
    "plot_drivers",
    "plot_expected_and_actual",
    "plot_first_and_returning",
    "plot_gap_distribution",
    "plot_inactivity_windows",
    "plot_keywords",
    "plot_lifecycle",
    "plot_lorenz",
    "plot_mrr_movements",
    "plot_nps",
    "plot_retention_curves",
    "plot_retention_matrix",
    "plot_rfm_segments",
    "plot_stickiness",
    "plot_survival",
    "plot_themes",
    "plot_tracking",
]
