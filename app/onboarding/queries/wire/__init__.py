"""Running work as software reads it: shapes of `app.onboarding.schemas`, made from the rows of one tenant."""
