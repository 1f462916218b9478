"""Review of predictions by people: decisions, the queue, and the report on them."""
