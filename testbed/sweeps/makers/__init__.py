"""Who makes the points of a sweep.

here ─── this process                    remote ─── workers elsewhere, by Dask: worker, brought, carried
jobs ─── others beside it: job_process   beside ─── the process of a worker   safe ─── who may send what to whom
"""
