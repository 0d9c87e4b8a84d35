"""The attack suite: hostile SQL, stale connections and swapped ids, the same on every PostgreSQL we run on."""
