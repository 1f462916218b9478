"""People and audio become rows of vectors on one grid."""
