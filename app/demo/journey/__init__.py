"""The main job as people do it: over HTTP and mail, from a closed deal to proven first value."""
