"""HTTP service of a detector: send a clip, follow its job, fetch its report."""
