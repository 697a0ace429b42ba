"""What surrounds a migration: guests and clients in their hosts, their logs, what is measured, orders by hand.

guests ─ clients ─ applications      datastore ─ what hosts share      logs ─ followed while they grow
measuring ─ samples and marks        orders ─ by hand, while it runs
"""
