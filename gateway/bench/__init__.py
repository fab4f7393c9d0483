"""The benchmark: the gateway held against a bare bridge on the same broker in the same run: ratios, not absolutes."""
