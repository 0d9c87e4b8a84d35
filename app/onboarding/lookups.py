"""What is asked of `control` over all organisations at once: how many exceptions are open, and since when."""

from __future__ import annotations

from tenants.metadata import control_function

# From the cards, which hold what waits of each running onboarding; no name and no tenant leaves the function.
control_function(
    "open_exceptions",
    arguments="",
    returns="TABLE (type text, number bigint, oldest timestamptz)",
    body="""
    SELECT coalesce(need ->> 'type', 'unknown'), count(*), min((need ->> 'since')::timestamptz)
    FROM control.onboarding_card c CROSS JOIN LATERAL jsonb_array_elements(c.needs) AS need
    WHERE need ->> 'kind' = 'exception' GROUP BY 1""",
)
