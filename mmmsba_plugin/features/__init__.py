"""People and sound become rows of vectors on one grid."""
