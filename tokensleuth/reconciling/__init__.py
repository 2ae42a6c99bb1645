"""Holds computed costs against what providers bill, and tells how complete each source's hours are."""
