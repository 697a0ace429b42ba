"""Hand-ins: read as what strangers made, graded, compared with each other, and told in the formats that others read."""
