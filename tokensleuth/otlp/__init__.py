"""The OTLP/HTTP receiver: what clients push is stored durably, then turned into hourly usage."""
