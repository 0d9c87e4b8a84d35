"""The only place that knows everybody: wiring, routes, subscriptions, schedules."""
