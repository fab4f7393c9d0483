"""MedCom XML: one module per letter type, and the schemas they are checked with."""
