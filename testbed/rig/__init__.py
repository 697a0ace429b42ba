"""What surrounds a migration, whatever moves the guest: hosts and their links, clients, samples, orders by hand.

context ─ what a run's migrations share      stages ─ build ▶ Built ▶ Warm ▶ Moved ▶ record
hosts ─── emulated, and the link proved      mover ── the seam to what moves the guest
guests ── our own, as processes              clients ─ applications ─ datastore      logs ─ followed while they grow
measuring ─ samples and marks                orders ─ by hand, while it runs         steps ─ after the end
fake_mover ─ one that moves nothing, for tests
"""
