"""The figures of the day."""

from __future__ import annotations

from control_center.api.authorization import guarded_router, requires
from control_center.api.deps import CurrentCenter
from control_center.figure_views import FiguresView
from control_center.rights import Right

router = guarded_router(prefix="/api/v1/figures", tags=["figures"])


@router.get("/today")
@requires(Right.VIEW_FIGURES)
async def get_figures_of_today(center: CurrentCenter) -> FiguresView:
    """Counted anew at each request. The day begins at midnight of `center.time_zone`."""
    return await center.figures.today()
