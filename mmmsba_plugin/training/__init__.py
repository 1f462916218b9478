"""The story run backwards: from truth to weights."""
