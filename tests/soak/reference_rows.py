"""The rows that raw scrapes mean, by the reference parser of Prometheus' Python client.

Reads a scrape a line as JSON (content_type, body in base64, job, instance, labels, start_ms) and writes a row a line:
[metric name, job, instance, other labels, timestamp in ms, value]. It shares no code with the product.
"""
import base64
import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text_format


def rows(scrape):
    text = base64.b64decode(scrape["body"]).decode()
    parse = openmetrics if "openmetrics" in scrape["content_type"] else text_format
    lines = text.split("\n")
    for family in parse(text):
        for sample in family.samples:
            name = sample.name
            # The parser renames counters of the text format that lack the suffix; Prometheus stores them as they are.
            if name.endswith("_total") and not any(line.startswith(name) for line in lines):
                name = name[: -len("_total")]
            labels = {key: value for key, value in sample.labels.items() if value != ""}
            timestamp = scrape["start_ms"] if sample.timestamp is None else round(float(sample.timestamp) * 1000)
            yield [name, scrape["job"], scrape["instance"], labels, timestamp, repr(float(sample.value))]


for line in sys.stdin:
    for row in rows(json.loads(line)):
        print(json.dumps(row, sort_keys=True))
