"""The paper's tables, measured anew and set beside what it reports."""
